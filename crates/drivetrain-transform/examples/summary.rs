//! What a fitted pipeline learned, as a web page on standard output; with `text`, as text.
//!
//! ```console
//! $ cargo run --package drivetrain-transform --example summary > summary.html
//! ```

use std::{env, error::Error};

use drivetrain_plan::{Column, ColumnTable};
use drivetrain_transform::{
    Block, ColumnTransformer, Estimator, Fitted, KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, Pipeline,
    PolynomialFeatures, PowerTransformer, QuantileTransformer, Remainder, SimpleImputer, StandardScaler, Step,
    TargetEncoder, VarianceThreshold,
};

fn main() -> Result<(), Box<dyn Error>> {
    let rows = 0..40_i64;
    let number = |scale: f64| Column::from(rows.clone().map(|row| (row * row % 17) as f64 * scale).collect::<Vec<_>>());
    let text = |words: &[&'static str]| {
        let word = |row: i64| words.get(usize::try_from(row).ok()? % (words.len() + 1)).copied();
        Column::from(rows.clone().map(word).collect::<Vec<_>>())
    };
    let maker =
        ["amc", "audi", "bmw", "buick", "chevrolet", "chrysler", "datsun", "dodge", "fiat", "ford", "honda", "mazda"];
    let maker = [&maker[..], &["mercedes-benz", "oldsmobile", "日産", "<unknown & unnamed>"]].concat();
    let cars = ColumnTable::new(vec![
        ("weight".into(), number(250.0)),
        ("displacement in cubic inches, as the maker says".into(), number(23.5)),
        ("horsepower".into(), number(1e-7)),
        ("acceleration".into(), number(1.0)),
        ("model year".into(), Column::from(rows.clone().map(|row| 70 + row % 13).collect::<Vec<_>>())),
        ("origin".into(), text(&["usa", "europe", "japan"])),
        ("maker".into(), text(&maker)),
        ("size".into(), text(&["small", "large"])),
    ])?;
    let mpg: Vec<f64> = rows.clone().map(|row| 10.0 + (row * 7 % 31) as f64).collect();

    let scaled = Pipeline::new(vec![
        Step::new("impute", SimpleImputer::mean().add_indicator(true)),
        Step::new("scale", StandardScaler::new()),
        Step::new("interact", PolynomialFeatures::new().interaction_only(true).include_bias(false)),
    ])?;
    let columns = ColumnTransformer::new(vec![
        Block::new("scaled", scaled, ["weight", "displacement in cubic inches, as the maker says"]),
        Block::new("normal", PowerTransformer::new(), ["horsepower"]),
        Block::new("uniform", QuantileTransformer::new(), ["acceleration", "model year"]),
        Block::new("bins", KBinsDiscretizer::new(), ["model year"]),
        Block::new("one-hot", OneHotEncoder::new(), ["origin", "maker"]),
        Block::new("mileage", TargetEncoder::new(), ["maker", "size"]),
        Block::new("order", OrdinalEncoder::new(), ["size"]),
    ])?;
    let steps =
        vec![Step::new("columns", columns.remainder(Remainder::Drop)), Step::new("varying", VarianceThreshold::new())];
    let summary = Pipeline::new(steps)?.fit(&cars, Some(&mpg))?.summary();
    if env::args().nth(1).as_deref() == Some("text") {
        print!("{summary}");
        return Ok(());
    }
    print!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><style>:root{{color-scheme:light dark}}</style><title>What was learned</title>{}</html>",
        summary.to_html()
    );
    Ok(())
}
