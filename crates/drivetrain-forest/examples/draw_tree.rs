//! Draws a tree that predicts the fuel consumption of cars:
//! `cargo run -p drivetrain-forest --example draw_tree -- data/auto-mpg.data > docs/tree.svg`.

use std::error::Error;

use drivetrain_forest::ndarray::Array2;
use drivetrain_forest::{DecisionTreeRegressor, TreeFormat};

const FEATURES: [&str; 7] =
    ["cylinders", "displacement", "horsepower", "weight", "acceleration", "model year", "origin"];

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file? It is data/auto-mpg.data in the repository")?;
    let text = std::fs::read_to_string(path)?;
    // Fuel consumption and seven features, then the name of the car; `?` where a value is missing.
    let number = |text: &str| if text == "?" { Ok(f64::NAN) } else { text.parse() };
    let rows = text.lines().map(|line| line.split_whitespace().take(8).map(number).collect::<Result<Vec<f64>, _>>());
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    if let Some(row) = rows.iter().position(|row| row.len() != 8) {
        return Err(format!("row {row} has fewer than 8 values").into());
    }
    let y: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let x = Array2::from_shape_fn((rows.len(), 7), |(row, column)| rows[row][column + 1]);

    let forest = DecisionTreeRegressor::builder().max_leaf_nodes(9).build()?.fit(x.view(), &y)?;
    let statistics = forest.node_statistics(0, x.view(), &y, None)?;
    let names = FEATURES.map(str::to_owned);
    let tree = forest.tree(0).ok_or("there is no tree")?;
    print!("{}", tree.export_svg(TreeFormat::new().feature_names(&names).statistics(&statistics).decimals(1))?);
    Ok(())
}
