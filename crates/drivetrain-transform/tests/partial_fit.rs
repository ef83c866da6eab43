//! Fits fed in chunks and merged equal the fit at once.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![expect(clippy::cast_possible_truncation, reason = "low bits are wanted")]

use std::borrow::Cow;

use drivetrain_plan::{
    CategoricalColumn, Categories, Column, ColumnTable, Function, Op, Plan, RowBlocks, Schema, Table, UnknownCategory,
    Value,
};
use drivetrain_transform::{
    AnyEstimator, Block, Branch, ChunkSource, ColumnTransformer, DropCategory, DtypeClass, Estimator, FeatureUnion,
    FitError, Fitted, FunctionTransformer, HandleUnknown, MaxAbsScaler, MinFrequency, MinMaxScaler, MissingIndicator,
    Normalizer, OneHotEncoder, OrdinalEncoder, PartialFit, Pipeline, PolynomialFeatures, Progress, ReadChunk,
    Remainder, SimpleImputer, StandardScaler, Step, VarianceThreshold, fit_chunks, make_column_selector,
};
use proptest::prelude::*;

/// Rows after which parts may be cut without changing a bit.
const GROUP: usize = 16 * 1024;

const WORDS: [&str; 5] = ["b", "", "aa", "c", "unused"];

/// A table of `n_rows` rows with every type of column, and columns that are constant, empty and near 1e9.
fn table(n_rows: usize, seed: u64) -> ColumnTable {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut floats = |scale: f64, offset: f64| -> Vec<f64> {
        let mut value =
            || if next() % 9 == 0 { f64::NAN } else { offset + scale * (next() >> 11) as f64 / 2_f64.powi(53) };
        (0..n_rows).map(|_| value()).collect()
    };
    let (x, large) = (floats(100.0, -3.0), floats(1.0, 1e9));
    #[expect(clippy::cast_possible_truncation, reason = "a number below 100")]
    let integers: Vec<Option<i64>> = x.iter().map(|x| (!x.is_nan()).then_some(*x as i64 % 7)).collect();
    let codes: Vec<u32> = large
        .iter()
        .map(|value| if value.is_nan() { 9 } else { u32::from(value.to_bits().to_le_bytes()[0] % 4) })
        .collect();
    let texts = codes.iter().map(|code| WORDS.get(*code as usize).map(|word| Cow::Borrowed(*word)));
    let columns: Vec<(&str, Column<'static>)> = vec![
        ("x", Column::from(x)),
        ("large", Column::from(large)),
        ("constant", Column::from(vec![0.1; n_rows])),
        ("nothing", Column::from(vec![f64::NAN; n_rows])),
        ("flag", Column::from(integers.iter().map(|value| value.map(|value| value > 3)).collect::<Vec<_>>())),
        ("integer", Column::from(integers)),
        ("text", Column::String(texts.collect())),
        (
            "kind",
            Column::Categorical(CategoricalColumn::Dictionary {
                codes: Cow::Owned(codes),
                dictionary: WORDS.map(Cow::Borrowed).to_vec().into(),
            }),
        ),
    ];
    ColumnTable::new(columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect()).unwrap()
}

/// The rows between `cuts`, as chunks.
struct Cut<'a>(&'a ColumnTable, Vec<usize>);

impl Cut<'_> {
    fn chunks(&self) -> impl Iterator<Item = ColumnTable> {
        let blocks = RowBlocks::new(self.0);
        let starts = [0].into_iter().chain(self.1.iter().copied());
        let ends = self.1.iter().copied().chain([self.0.n_rows()]);
        starts.zip(ends).map(move |(start, end)| ColumnTable::copy_of(&blocks.block(start..end)).unwrap())
    }
}

impl ChunkSource for Cut<'_> {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }

    fn for_each(&self, read: &mut ReadChunk<'_>) -> Result<(), FitError> {
        self.chunks().try_for_each(|chunk| read(&chunk, None))
    }
}

/// A plan as text: equal texts are equal bits, NaN included.
fn text(plan: &Plan) -> String {
    serde_json::to_string(plan).unwrap()
}

/// Fits with every chunk fed to a state of its own, and the states merged.
fn merged<E: PartialFit>(estimator: &E, source: &Cut<'_>) -> Plan {
    let mut fresh = estimator.start(source.schema()).unwrap();
    loop {
        let mut state = fresh.clone();
        for chunk in source.chunks() {
            let mut part = fresh.clone();
            estimator.partial_fit(&mut part, &chunk, None).unwrap();
            estimator.merge(&mut state, part).unwrap();
        }
        match estimator.finish(state).unwrap() {
            Progress::Done(fitted) => return fitted.lower().unwrap(),
            Progress::Again(again) => fresh = again,
        }
    }
}

/// The numbers that a plan learned, and the plan without them.
fn constants(plan: &Plan) -> (Vec<f64>, String) {
    let mut numbers = Vec::new();
    let mut rest = String::new();
    for op in plan.ops() {
        match op {
            Op::Scale { column, center, scale, output } => {
                numbers.extend([*center, *scale]);
                rest += &format!("scale {column} {output};");
            }
            Op::Impute { column, value: Value::Float64(value), output } => {
                numbers.push(*value);
                rest += &format!("impute {column} {output};");
            }
            op => rest += &format!("{op:?};"),
        }
    }
    (numbers, rest + &format!("{:?}", plan.outputs()))
}

fn same_however_fed<E: PartialFit>(estimator: &E, table: &ColumnTable, cuts: &[usize]) {
    let once = estimator.fit(table, None).unwrap().lower().unwrap();
    let source = Cut(table, cuts.to_vec());
    let fed = fit_chunks(estimator, &source).unwrap().lower().unwrap();
    assert_eq!(text(&fed), text(&once), "fed in chunks cut at {cuts:?}");
    let (expected, rest) = constants(&once);
    let merged = merged(estimator, &source);
    let (found, merged_rest) = constants(&merged);
    assert_eq!((merged_rest, found.len()), (rest, expected.len()));
    for (found, expected) in found.iter().zip(&expected) {
        let close = (found - expected).abs() <= 1e-12 * expected.abs() || (found.is_nan() && expected.is_nan());
        assert!(close, "{found} merged, {expected} at once");
    }
    if cuts.iter().all(|cut| cut % GROUP == 0) {
        assert_eq!(text(&merged), text(&once), "merged at {cuts:?}");
    }
}

fn numbers() -> Pipeline {
    let steps = vec![
        Step::new("impute", SimpleImputer::mean()),
        Step::new("vary", VarianceThreshold::new()),
        Step::new("scale", StandardScaler::new()),
    ];
    Pipeline::new(steps).unwrap()
}

/// The scaler learns in the pass of the imputer.
fn filled_and_scaled() -> Pipeline {
    let steps = vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())];
    Pipeline::new(steps).unwrap()
}

fn transformer() -> ColumnTransformer {
    let text = make_column_selector().dtype_include([DtypeClass::String, DtypeClass::Category]);
    ColumnTransformer::new(vec![
        Block::new("numbers", numbers(), ["x", "large", "constant", "nothing", "flag"]),
        Block::new("scaled", filled_and_scaled(), ["x", "nothing", "integer"]),
        Block::new("text", OneHotEncoder::new(), text),
        Block::drop("away", ["flag"]),
    ])
    .unwrap()
    .remainder(Remainder::Estimator(AnyEstimator::new(MaxAbsScaler::new())))
}

/// Only the columns called `names`.
fn of(table: &ColumnTable, names: &[&str]) -> ColumnTable {
    let column = |name: &&str| ((*name).to_owned(), table.column(name).unwrap().into_owned());
    ColumnTable::new(names.iter().map(column).collect()).unwrap()
}

fn check_all(table: &ColumnTable, cuts: &[usize]) {
    let floats = of(table, &["x", "constant", "nothing", "flag", "integer"]);
    same_however_fed(&StandardScaler::new(), &floats, cuts);
    same_however_fed(&MinMaxScaler::new(), &floats, cuts);
    same_however_fed(&MaxAbsScaler::new(), &floats, cuts);
    same_however_fed(&SimpleImputer::mean(), &floats, cuts);
    same_however_fed(&Normalizer::new(), &floats, cuts);
    same_however_fed(
        &SimpleImputer::constant(Value::Float64(7.0)).keep_empty_features(true),
        &of(table, &["x", "nothing", "integer"]),
        cuts,
    );
    same_however_fed(&SimpleImputer::constant(Value::String("none".into())), &of(table, &["text", "kind"]), cuts);
    let filled = SimpleImputer::most_frequent().add_indicator(true);
    same_however_fed(&filled, table, cuts);
    same_however_fed(&MissingIndicator::new(), table, cuts);
    same_however_fed(&FunctionTransformer::new(Function::Log1p).unwrap(), &floats, cuts);
    same_however_fed(&PolynomialFeatures::new(), &floats, cuts);
    let branches = vec![Branch::new("filled", filled), Branch::drop("off"), Branch::new("text", OneHotEncoder::new())];
    same_however_fed(&FeatureUnion::new(branches).unwrap(), table, cuts);
    same_however_fed(&OneHotEncoder::new(), table, cuts);
    let rare = OneHotEncoder::new().handle_unknown(HandleUnknown::InfrequentIfExist);
    let rare = rare.min_frequency(MinFrequency::fraction(0.2).unwrap()).drop(DropCategory::First);
    let kinds = Categories::String(WORDS.map(str::to_owned).to_vec());
    same_however_fed(&rare.categories("kind", kinds).unwrap(), table, cuts);
    same_however_fed(&OrdinalEncoder::new().max_categories(3).unwrap(), &of(table, &["kind", "integer", "text"]), cuts);
    same_however_fed(&OrdinalEncoder::new(), &of(table, &["kind", "integer", "flag", "nothing"]), cuts);
    same_however_fed(&numbers(), &floats, cuts);
    same_however_fed(&filled_and_scaled(), &floats, cuts);
    same_however_fed(&transformer(), table, cuts);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn chunks_of_any_sizes_give_the_fit_at_once(
        n_rows in 2_usize..6000,
        seed in any::<u64>(),
        cuts in proptest::collection::vec(0.0..1.0_f64, 0..6),
    ) {
        #[expect(clippy::cast_sign_loss, reason = "from 0 to the number of rows")]
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| (cut * n_rows as f64) as usize).collect();
        cuts.sort_unstable();
        // One row of each kind at the least, so that there is something to learn whatever the seed.
        check_all(&table(n_rows.max(40), seed), &cuts);
    }
}

#[test]
fn parts_of_whole_groups_merge_to_the_same_bits() {
    let table = table(4 * GROUP + 777, 3);
    check_all(&table, &[GROUP, 3 * GROUP]);
    check_all(&table, &[2 * GROUP, 2 * GROUP]);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let table = table(5 * GROUP + 1234, 11);
    let fitted = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        text(&pool.install(|| transformer().fit(&table, None)).unwrap().lower().unwrap())
    };
    let one = fitted(1);
    assert_eq!(fitted(2), one);
    assert_eq!(fitted(7), one);
}

#[test]
fn a_pipeline_is_its_steps_fitted_one_after_the_other_to_the_bit() {
    let table = of(&table(2 * GROUP + 99, 5), &["x", "large", "nothing"]);
    let whole = numbers().fit(&table, None).unwrap();
    let imputer = SimpleImputer::mean().fit(&table, None).unwrap();
    let filled = imputer.run(&table).unwrap();
    let threshold = VarianceThreshold::new().fit(&filled, None).unwrap();
    let scaler = StandardScaler::new().fit(&threshold.run(&filled).unwrap(), None).unwrap();
    let by_hand = [imputer.lower().unwrap(), threshold.lower().unwrap(), scaler.lower().unwrap()];
    for (step, plan) in whole.steps().iter().zip(&by_hand) {
        assert_eq!(text(&step.plan), text(plan), "{}", step.name);
    }
}

#[test]
fn a_scaler_that_learns_in_the_pass_of_the_imputer_learns_the_same() {
    let columns = ["x", "large", "constant", "nothing", "flag", "integer"];
    for n_rows in [40, 1023, 5000, 2 * GROUP + 99] {
        let table = of(&table(n_rows, 7), &columns);
        let whole = filled_and_scaled();
        // One pass over the rows is all it takes.
        let mut state = whole.start(table.schema()).unwrap();
        whole.partial_fit(&mut state, &table, None).unwrap();
        let whole = whole.finish(state).unwrap().fitted().unwrap();
        let imputer = SimpleImputer::mean().fit(&table, None).unwrap();
        assert_eq!(text(&whole.steps()[0].plan), text(&imputer.lower().unwrap()));
        let scaler = StandardScaler::new().fit(&imputer.run(&table).unwrap(), None).unwrap();
        let (found, expected) = (constants(&whole.steps()[1].plan), constants(&scaler.lower().unwrap()));
        assert_eq!(found.1, expected.1);
        if n_rows < 1024 {
            assert_eq!(text(&whole.steps()[1].plan), text(&scaler.lower().unwrap()));
        }
        for (found, expected) in found.0.iter().zip(&expected.0) {
            assert!((found - expected).abs() <= 1e-14 * expected.abs(), "{found} for {expected}");
        }
    }
}

#[test]
fn faults_are_placed_in_the_whole_and_not_in_the_chunk() {
    let mut values = vec![1.0; 3 * GROUP];
    values[2 * GROUP + 5] = f64::INFINITY;
    values[2 * GROUP + 6000] = f64::NEG_INFINITY;
    let table = ColumnTable::new(vec![("x".into(), Column::from(values))]).unwrap();
    let expected = format!("column `x`, row {}: inf is not finite", 2 * GROUP + 5);
    assert_eq!(StandardScaler::new().fit(&table, None).unwrap_err().to_string(), expected);
    assert_eq!(MinMaxScaler::new().fit(&table, None).unwrap_err().to_string(), expected);
    for cut in [2 * GROUP + 3, 2 * GROUP + 6, 7] {
        let error = fit_chunks(&StandardScaler::new(), &Cut(&table, vec![cut])).unwrap_err();
        assert_eq!(error.to_string(), expected, "cut at {cut}");
    }
    for pipeline in [numbers(), filled_and_scaled()] {
        let step = pipeline.fit(&table, None).unwrap_err();
        assert_eq!(step.to_string(), "step `impute` failed");
        assert_eq!(std::error::Error::source(&step).unwrap().to_string(), expected);
    }

    let texts = (0..5000).map(|row| Some(if row == 4500 { "zebra" } else { "a" })).collect::<Vec<_>>();
    let table = ColumnTable::new(vec![("x".into(), Column::from(texts))]).unwrap();
    let encoder = OneHotEncoder::new().categories("x", Categories::String(vec!["a".into()])).unwrap();
    let expected = "column `x`, row 4500: `zebra` is not among the declared categories";
    assert_eq!(encoder.fit(&table, None).unwrap_err().to_string(), expected);
    assert_eq!(fit_chunks(&encoder, &Cut(&table, vec![100])).unwrap_err().to_string(), expected);
    assert!(encoder.handle_unknown(UnknownCategory::Ignore).fit(&table, None).is_ok());
}

#[test]
fn huge_values_whose_sum_overflows_are_not_taken_for_infinite_ones() {
    let table = ColumnTable::new(vec![("x".into(), Column::from(vec![f64::MAX; 3]))]).unwrap();
    assert!(MinMaxScaler::new().fit(&table, None).is_ok());
    let fitted = SimpleImputer::mean().fit(&table, None);
    assert!(!matches!(fitted, Err(FitError::NotFinite { .. })));
}

#[test]
fn what_cannot_be_fed_in_chunks_says_so() {
    assert!(SimpleImputer::median().as_partial_fit().is_none());
    let schema = table(3, 1).schema().clone();
    let error = SimpleImputer::median().start(&schema).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SimpleImputer cannot be fitted in parts: the statistics of its strategy cannot be merged"
    );
    let steps = vec![Step::new("median", SimpleImputer::median()), Step::new("scale", StandardScaler::new())];
    let pipeline = Pipeline::new(steps).unwrap();
    assert!(pipeline.as_partial_fit().is_none());
    let error = pipeline.start(&schema).unwrap_err();
    assert_eq!(error.to_string(), "step `median` cannot be fitted in parts: its estimator cannot");
    // The fit at once goes through all the same.
    let numbers = of(&table(100, 1), &["x", "large"]);
    assert_eq!(pipeline.fit(&numbers, None).unwrap().steps().len(), 2);
}

#[test]
fn states_that_do_not_belong_together_are_refused() {
    let table = table(50, 1);
    let (one, other) = (of(&table, &["x"]), of(&table, &["large"]));
    let scaler = StandardScaler::new();
    let mut state = scaler.start(one.schema()).unwrap();
    let error = scaler.merge(&mut state, scaler.start(other.schema()).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "parts of a fit do not belong together: their columns differ");
    assert!(matches!(scaler.finish(state), Err(FitError::Empty { rows: 0, columns: 1 })));
    let pipeline = numbers();
    let mut state = pipeline.start(one.schema()).unwrap();
    pipeline.partial_fit(&mut state, &one, None).unwrap();
    let first = state.clone();
    let Progress::Again(mut second) = pipeline.finish(state).unwrap() else { panic!("three steps take three passes") };
    assert!(matches!(pipeline.merge(&mut second, first), Err(FitError::Merge { .. })));
    assert!(matches!(Progress::<_, ()>::Again(second).fitted(), Err(FitError::AnotherPass)));
}
