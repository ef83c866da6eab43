"""scikit-learn on the same table, for the benchmark beside: see main.rs."""
import sys
