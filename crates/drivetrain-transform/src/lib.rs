//! Estimators that learn from tables and lower to plans: scalers, encoders, imputers, column transformer, pipeline.
