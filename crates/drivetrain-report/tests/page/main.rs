//! Pages as a reader gets them.

mod browser;
mod html;
mod sample;
