//! The bridge between polars data frames and Drivetrain tables.
