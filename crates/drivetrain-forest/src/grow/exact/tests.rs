//! Grown trees against the definition of the best split, computed by brute force.

use ndarray::Array2;
use proptest::prelude::*;

use super::*;
use crate::grow::bootstrap::Rows;
use crate::{MaxFeatures, RandomForestRegressor, RandomForestRegressorBuilder, random};

fn grow(builder: &RandomForestRegressorBuilder, x: &Array2<f64>, y: &[f64]) -> GrownTree {
    let parameters = builder.clone().build().unwrap();
    let weights = weights(builder, y.len());
    let scale = TargetScale::new(y);
    let scaled = y.iter().map(|&target| scale.down(target)).collect();
    let view = x.view();
    let tree = parameters.tree();
    let engine = Engine::new(&tree, &view, scaled, SquaredError::default(), scale);
    engine.grow(&weights, random::stream(9, 1), &mut engine.arena(), &|| true)
}

/// The bootstrap of the tree that [`grow`] grows.
fn weights(builder: &RandomForestRegressorBuilder, n_rows: usize) -> Vec<f64> {
    if builder.clone().build().unwrap().bootstrap() {
        Rows::Uniform { n_rows, n_draws: n_rows }.draw(&mut random::stream(9, 0))
    } else {
        vec![1.0; n_rows]
    }
}

/// Squared error of `rows` around their mean.
fn error(rows: &[usize], y: &[f64], weights: &[f64]) -> f64 {
    let weight: f64 = rows.iter().map(|&row| weights[row]).sum();
    let mean = rows.iter().map(|&row| weights[row] * y[row]).sum::<f64>() / weight;
    rows.iter().map(|&row| weights[row] * (y[row] - mean).powi(2)).sum()
}

/// The largest decrease in squared error that a split on any feature brings.
fn best_gain(rows: &[usize], x: &Array2<f64>, y: &[f64], weights: &[f64], min_leaf: usize) -> Option<f64> {
    let whole = error(rows, y, weights);
    let mut best: Option<f64> = None;
    for column in x.columns() {
        for &row in rows {
            let (left, right): (Vec<_>, Vec<_>) = rows.iter().partition(|&&other| column[other] <= column[row]);
            if left.len() >= min_leaf && right.len() >= min_leaf {
                let gain = whole - error(&left, y, weights) - error(&right, y, weights);
                best = Some(best.map_or(gain, |best| best.max(gain)));
            }
        }
    }
    best
}

/// Every split of the tree is a best one, every leaf could not be split.
fn assert_best(builder: &RandomForestRegressorBuilder, x: &Array2<f64>, y: &[f64]) {
    let parameters = builder.clone().build().unwrap();
    let tree = grow(builder, x, y);
    let weights = weights(builder, y.len());
    let scale = y.iter().map(|y| y * y).sum::<f64>().max(1e-300);
    let rows: Vec<usize> = (0..y.len()).filter(|&row| weights[row] > 0.0).collect();
    let mut nodes = vec![(0, 0, rows)];
    while let Some((index, depth, rows)) = nodes.pop() {
        let min_leaf = parameters.min_samples_leaf().at_least(y.len());
        let pure = rows.iter().all(|&row| y[row] == y[rows[0]]);
        let best = best_gain(&rows, x, y, &weights, min_leaf);
        let stops = pure
            || best.is_none()
            || rows.len() < parameters.min_samples_split().at_least(y.len())
            || parameters.max_depth().is_some_and(|max| depth >= max);
        let node = &tree.nodes[index];
        assert_eq!(node.split.is_none(), stops, "{} rows at depth {depth}", rows.len());
        let Some(split) = &node.split else {
            let weight: f64 = rows.iter().map(|&row| weights[row]).sum();
            let mean = rows.iter().map(|&row| weights[row] * y[row]).sum::<f64>() / weight;
            assert!((node.value - mean).abs() <= 1e-12 * scale.sqrt());
            continue;
        };
        let column = x.column(split.feature as usize);
        let (left, right): (Vec<_>, Vec<_>) = rows.iter().partition(|&&row| column[row] <= split.threshold());
        assert!(left.len() >= min_leaf && right.len() >= min_leaf);
        let gain = error(&rows, y, &weights) - error(&left, y, &weights) - error(&right, y, &weights);
        assert!((gain - best.unwrap()).abs() <= 1e-11 * scale, "{gain} {best:?}");
        nodes.push((split.children()[0], depth + 1, left));
        nodes.push((split.children()[1], depth + 1, right));
    }
}

fn table(n_rows: usize, n_features: usize) -> (Array2<f64>, Vec<f64>) {
    let mut random = SplitMix64(n_rows as u64);
    let x = Array2::from_shape_fn((n_rows, n_features), |(_, column)| match column % 3 {
        0 => random.between(0, 1 << 20) as f64 / 1024.0,
        1 => random.between(0, 12) as f64,
        _ => random.between(0, 2) as f64,
    });
    let y = x.rows().into_iter().map(|row| row[0].sin() + row[row.len() - 1] + random.between(0, 100) as f64 / 50.0);
    let y = y.collect();
    (x, y)
}

#[test]
fn every_split_is_a_best_one() {
    let start = RandomForestRegressor::builder;
    let builders = [
        start().bootstrap(false),
        start(),
        start().max_depth(4),
        start().min_samples_leaf(3),
        start().min_samples_split(11).min_samples_leaf(2),
    ];
    // Below, at and above the sizes at which nodes move into blocks of one and of several words.
    for n_rows in [1, 2, 3, 63, 64, 65, 150] {
        let (x, y) = table(n_rows, 4);
        for builder in &builders {
            assert_best(builder, &x, &y);
        }
    }
}

#[test]
fn large_nodes_are_split_as_well_as_small_ones() {
    // More rows than the largest block holds, so that lists are parted.
    let (x, y) = table(6000, 3);
    let builder = RandomForestRegressor::builder().bootstrap(false).min_samples_leaf(700);
    let tree = grow(&builder, &x, &y);
    let split = tree.nodes[0].split.as_ref().unwrap();
    let unit = vec![1.0; 6000];
    let rows: Vec<usize> = (0..6000).collect();
    let column = x.column(split.feature as usize);
    let gain = |threshold: f64, column: ndarray::ArrayView1<'_, f64>| {
        let (left, right): (Vec<_>, Vec<_>) = rows.iter().partition(|&&row| column[row] <= threshold);
        error(&rows, &y, &unit) - error(&left, &y, &unit) - error(&right, &y, &unit)
    };
    let chosen = gain(split.threshold(), column);
    for column in x.columns() {
        for step in 1..20 {
            let threshold = column[step * 300];
            let left = column.iter().filter(|value| **value <= threshold).count();
            if (700..=5300).contains(&left) {
                assert!(gain(threshold, column) <= chosen * (1.0 + 1e-12));
            }
        }
    }
    let leaves = tree.nodes.iter().filter(|node| node.split.is_none()).count();
    assert!((4..=8).contains(&leaves), "{leaves}");
}

#[test]
fn where_nodes_move_into_blocks_makes_no_difference() {
    // Continuous data whose best splits are not tied: a tree grown in blocks from the root on equals
    // the top of one that begins with lists.
    let (x, y) = table(20_000, 1);
    let whole = RandomForestRegressor::builder().bootstrap(false).max_depth(6);
    let tree = grow(&whole, &x, &y);
    let mut index = 0;
    let mut rows: Vec<usize> = (0..20_000).collect();
    while rows.len() > blocks::SIZES[0] {
        let split = tree.nodes[index].split.as_ref().unwrap();
        let right = rows.iter().filter(|&&row| x[[row, 0]] > split.threshold()).count() * 2 > rows.len();
        rows.retain(|&row| (x[[row, 0]] > split.threshold()) == right);
        index = if right { split.children()[1] } else { split.children()[0] };
    }
    let part = x.select(ndarray::Axis(0), &rows);
    let targets: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
    let alone = grow(&RandomForestRegressor::builder().bootstrap(false).max_depth(1), &part, &targets);
    let [split, root] = [&tree.nodes[index], &alone.nodes[0]].map(|node| node.split.as_ref().unwrap());
    assert_eq!((split.feature, split.threshold()), (root.feature, root.threshold()));
}

#[test]
fn a_large_tree_is_the_same_on_any_number_of_threads() {
    // More rows than the largest block holds, so that features and subtrees are shared out; some values are missing.
    let (mut x, y) = table(40_000, 4);
    for row in (0..40_000).step_by(7) {
        x[[row, 2]] = f64::NAN;
    }
    let builder = RandomForestRegressor::builder().max_features(MaxFeatures::count(2).unwrap()).max_depth(12);
    let [one, three] = [1, 3].map(|n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| grow(&builder, &x, &y))
    });
    assert!(one.nodes.len() > 1000, "{}", one.nodes.len());
    assert_eq!(one, three);
}

#[test]
fn parameters_beyond_the_rows_leave_the_root_alone() {
    let (x, y) = table(100, 2);
    let start = RandomForestRegressor::builder;
    for builder in [
        start().min_samples_leaf(usize::MAX),
        start().min_samples_split(usize::MAX),
        start().min_samples_leaf(0.9),
        start().min_impurity_decrease(1e300),
        start().ccp_alpha(1e300),
    ] {
        let tree = grow(&builder, &x, &y);
        assert!(tree.nodes[0].split.is_none(), "{builder:?}");
    }
    assert!(grow(&start().max_depth(usize::MAX).max_leaf_nodes(usize::MAX), &x, &y).nodes.len() > 3);
}

#[test]
fn constant_features_do_not_count_as_drawn() {
    // One feature of ten varies; drawing one at a time still finds it at every node.
    let x = Array2::from_shape_fn((80, 10), |(i, j)| if j == 7 { i as f64 } else { 1.0 });
    let y: Vec<f64> = (0..80).map(f64::from).collect();
    let builder = RandomForestRegressor::builder().bootstrap(false).max_features(MaxFeatures::count(1).unwrap());
    let tree = grow(&builder, &x, &y);
    assert_eq!(tree.nodes.len(), 159);
    assert!(tree.nodes.iter().filter_map(|node| node.split.as_ref()).all(|split| split.feature == 7));
}

#[test]
fn a_million_equal_rows_are_one_leaf() {
    let x = Array2::from_elem((1_000_000, 1), 2.0);
    let y: Vec<f64> = (0..1_000_000).map(|i| f64::from(i % 3)).collect();
    let tree = grow(&RandomForestRegressor::builder().bootstrap(false), &x, &y);
    assert_eq!(tree.nodes.len(), 1);
    assert!((tree.nodes[0].value - 1.0).abs() < 1e-5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn splits_are_best_on_any_data(
        cells in prop::collection::vec((0_u8..9, -4_i8..4, -50_i32..50), 1..60),
        bootstrap: bool, min_leaf in 1_usize..5,
    ) {
        let x = Array2::from_shape_fn((cells.len(), 2), |(i, j)| {
            if j == 0 { f64::from(cells[i].0) } else { f64::from(cells[i].1) * 0.3 }
        });
        let y: Vec<f64> = cells.iter().map(|cell| f64::from(cell.2) / 10.0).collect();
        let builder = RandomForestRegressor::builder().bootstrap(bootstrap).min_samples_leaf(min_leaf);
        assert_best(&builder, &x, &y);
    }
}

/// A tree of the given parameters without bootstrap.
fn grow_plainly<C: Criterion>(
    tree: &TreeParameters<'_>,
    x: &Array2<f64>,
    y: Vec<C::Target>,
    criterion: C,
) -> GrownTree {
    let weights = vec![1.0; y.len()];
    let view = x.view();
    let engine = Engine::new(tree, &view, y, criterion, TargetScale::ONE);
    engine.grow(&weights, random::stream(9, 1), &mut engine.arena(), &|| true)
}

/// The sides of all rows at the root of a tree.
fn sides(tree: &GrownTree, x: &Array2<f64>) -> Option<[Vec<usize>; 2]> {
    let split = tree.nodes[0].split.as_ref()?;
    let goes_left = |&row: &usize| {
        let value = x[[row, split.feature as usize]];
        match split.categories() {
            _ if value.is_nan() => split.missing_left,
            Some(left) => crate::forest::CategorySet(left).contains(crate::forest::category(value).unwrap()),
            None => value <= split.threshold(),
        }
    };
    let (left, right) = (0..x.nrows()).partition(goes_left);
    Some([left, right])
}

/// The decrease in squared error of parting the rows so.
fn gain(y: &[f64], parts: &[Vec<usize>; 2]) -> f64 {
    let unit = vec![1.0; y.len()];
    let all: Vec<usize> = (0..y.len()).collect();
    error(&all, y, &unit) - parts.iter().map(|rows| error(rows, y, &unit)).sum::<f64>()
}

#[test]
fn blocks_and_lists_agree_on_what_is_missing_and_on_categories() {
    // More rows than the largest block holds: a tree that begins with lists, and one of blocks only on the part
    // of the rows that one of its nodes has.
    let (mut x, y) = table(20_000, 4);
    for row in (0..20_000).step_by(3) {
        x[[row, 0]] = f64::NAN;
    }
    let parameters = RandomForestRegressor::builder().max_depth(8).build().unwrap();
    let categorical = [false, true, true, false];
    let tree = TreeParameters { categorical: &categorical, ..parameters.tree() };
    let whole = grow_plainly(&tree, &x, y.clone(), SquaredError::default());
    let mut index = 0;
    let mut rows: Vec<usize> = (0..20_000).collect();
    while rows.len() > blocks::SIZES[0] {
        let part = x.select(ndarray::Axis(0), &rows);
        let below = GrownTree { nodes: whole.nodes[index..].to_vec(), shares: Vec::new() };
        let [left, right] = sides(&below, &part).unwrap();
        let split = whole.nodes[index].split.as_ref().unwrap();
        let (side, next) =
            if left.len() > right.len() { (left, split.children()[0]) } else { (right, split.children()[1]) };
        rows = side.iter().map(|&place| rows[place]).collect();
        index = next;
    }
    let part = x.select(ndarray::Axis(0), &rows);
    let targets = rows.iter().map(|&row| y[row]).collect();
    let alone = grow_plainly(&tree, &part, targets, SquaredError::default());
    let [ours, alone] = [&whole.nodes[index], &alone.nodes[0]].map(|node| node.split.as_ref().unwrap());
    assert_eq!(
        (ours.feature, ours.threshold(), ours.categories()),
        (alone.feature, alone.threshold(), alone.categories())
    );
    assert_eq!(ours.missing_left, alone.missing_left);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_best_way_of_missing_values_is_found(
        cells in prop::collection::vec((prop::option::of(0_u8..8), -50_i32..50), 2..40),
    ) {
        let x = Array2::from_shape_fn((cells.len(), 1), |(row, _)| cells[row].0.map_or(f64::NAN, f64::from));
        let y: Vec<f64> = cells.iter().map(|cell| f64::from(cell.1)).collect();
        let parameters = RandomForestRegressor::builder().max_depth(1).build().unwrap();
        let tree = grow_plainly(&parameters.tree(), &x, y.clone(), SquaredError::default());
        let mut best: Option<f64> = None;
        for threshold in (0..8).map(f64::from) {
            for missing_left in [false, true] {
                let parts: (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|&row| {
                    let value = x[[row, 0]];
                    if value.is_nan() { missing_left } else { value <= threshold }
                });
                if !parts.0.is_empty() && !parts.1.is_empty() {
                    let gain = gain(&y, &parts.into());
                    best = Some(best.map_or(gain, |best| best.max(gain)));
                }
            }
        }
        let pure = y.iter().all(|&target| target == y[0]);
        let ours = sides(&tree, &x).map(|parts| gain(&y, &parts));
        match best {
            Some(best) if !pure => prop_assert!((ours.unwrap() - best).abs() < 1e-8, "{ours:?} {best}"),
            _ => prop_assert!(ours.is_none()),
        }
    }

    #[test]
    fn the_best_set_of_categories_is_found(
        cells in prop::collection::vec((prop::option::of(0_u32..6), -50_i32..50), 2..40),
    ) {
        let x = Array2::from_shape_fn((cells.len(), 1), |(row, _)| cells[row].0.map_or(f64::NAN, f64::from));
        let y: Vec<f64> = cells.iter().map(|cell| f64::from(cell.1)).collect();
        let parameters = RandomForestRegressor::builder().max_depth(1).build().unwrap();
        let tree = TreeParameters { categorical: &[true], ..parameters.tree() };
        let tree = grow_plainly(&tree, &x, y.clone(), SquaredError::default());
        let mut best: Option<f64> = None;
        // Missing is the seventh category.
        for set in 0_u32..128 {
            let parts: (Vec<usize>, Vec<usize>) =
                (0..y.len()).partition(|&row| set >> cells[row].0.unwrap_or(6) & 1 == 1);
            if !parts.0.is_empty() && !parts.1.is_empty() {
                let gain = gain(&y, &parts.into());
                best = Some(best.map_or(gain, |best| best.max(gain)));
            }
        }
        let pure = y.iter().all(|&target| target == y[0]);
        let ours = sides(&tree, &x).map(|parts| gain(&y, &parts));
        match best {
            Some(best) if !pure => prop_assert!((ours.unwrap() - best).abs() < 1e-8, "{ours:?} {best}"),
            _ => prop_assert!(ours.is_none()),
        }
    }
}
