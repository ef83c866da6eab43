//! The container image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::binaries::Binary;
use crate::cli::{BuildArgs, Engine, ImageArgs};
use crate::error::Error;
use crate::layout::workspace_root;
use crate::report;
use crate::tool;

const CONTAINERFILE: &str = "Containerfile";
/// What the Containerfile calls the binary.
const BINARY: &str = "drivetrain";

/// Builds the image; the text is its size.
pub(crate) fn run(args: &ImageArgs) -> Result<String, Error> {
    let engine = args.engine.or_else(find).ok_or(Error::NoEngine)?.program();
    let build = BuildArgs { release: false, profile: Some(args.profile.clone()), target_dir: args.target_dir.clone() };
    let binary = Binary::Jobs.build_static(&build)?;
    let size = fs::metadata(&binary).map_err(|source| Error::Read { path: binary.clone(), source })?.len();

    let context = context(&binary)?;
    let containerfile = workspace_root().join(CONTAINERFILE);
    tool::run(
        Command::new(engine).args(["build", "--quiet", "--tag", &args.tag, "--file"]).arg(containerfile).arg(&context),
    )?;
    let inspect = ["image", "inspect", "--format", "{{.Size}}", &args.tag];
    let image = tool::output(Command::new(engine).args(inspect))?;

    let mut table = report::Table::new(&format!("Image {}", args.tag), &[report::Side::Left, report::Side::Right])
        .header(&["", "bytes"]);
    table.row(["the binary".to_owned(), size.to_string()]);
    table.row(["the image".to_owned(), image]);
    Ok(table.render(report::for_stdout()))
}

/// A folder that holds the binary alone, under the name that the Containerfile expects.
fn context(binary: &Path) -> Result<PathBuf, Error> {
    // Cargo keeps what the profile `image` makes in a folder called so.
    let folder = workspace_root().join("target").join("image-context");
    let path = folder.join(BINARY);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::copy(binary, &path))
        .map_err(|source| Error::Write { path, source })?;
    Ok(folder)
}

/// The first engine that is installed.
fn find() -> Option<Engine> {
    let answers = |engine: &Engine| {
        let mut command = Command::new(engine.program());
        let quiet = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    [Engine::Podman, Engine::Docker].into_iter().find(answers)
}
