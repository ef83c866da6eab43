//! The Auto MPG task: its columns, its custom transformer, its stock pipeline and its bundled data.
