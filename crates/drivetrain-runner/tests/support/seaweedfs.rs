//! A real S3 server for the time of a test: `SeaweedFS`, on free ports of this machine.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variable that names the program; `.ci/run` installs it.
const VARIABLE: &str = "DRIVETRAIN_WEED";
/// How long the server may take to be ready.
const START: Duration = Duration::from_mins(1);
pub(crate) const BUCKET: &str = "drivetrain";
const ACCESS_KEY: &str = "an-access-key";
const SECRET_KEY: &str = "a-secret-key";

/// Ends with the test, however the test ends.
pub(crate) struct SeaweedFs {
    /// A shell that waits for the end of its input, which is this process's, and then kills the server.
    guard: Child,
    folder: tempfile::TempDir,
    s3: u16,
    /// What the server leaves in a place that cannot be chosen.
    sockets: Vec<PathBuf>,
}

impl SeaweedFs {
    /// A server with an empty bucket; nothing, said loudly, if the program is not there.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let Some(program) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
            // Around the capture of the test harness: a skipped test is to be noticed.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {VARIABLE} names no program `weed` of SeaweedFS");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.json");
        let identity = format!(
            r#"{{"identities": [{{"name": "test", "credentials": [{{"accessKey": "{ACCESS_KEY}", "secretKey": "{SECRET_KEY}"}}],
               "actions": ["Admin", "Read", "Write", "List", "Tagging"]}}]}}"#
        );
        std::fs::write(&config, identity).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();

        let ports = free_ports::<8>();
        let names = ["master", "volume", "filer", "s3"];
        let socket = |(name, ports): (&&str, &[u16])| format!("/tmp/seaweedfs-{name}-grpc-{}.sock", ports[1]).into();
        let sockets = names.iter().zip(ports.chunks(2)).map(socket).collect();
        let flags = names.iter().zip(ports.chunks(2)).flat_map(|(name, ports)| {
            [format!("-{name}.port={}", ports[0]), format!("-{name}.port.grpc={}", ports[1])]
        });
        let guard = Command::new("/bin/sh")
            .args(["-c", r#""$@" </dev/null & server=$!; read -r _; kill -9 "$server"; wait"#, "sh"])
            .arg(program)
            .args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64", "-volume.max=200"])
            .args(["-filer", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"])
            .args(["-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock"])
            .arg(format!("-dir={}", folder.path().join("data").display()))
            .arg(format!("-s3.config={}", config.display()))
            .args(flags)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { guard, folder, s3: ports[6], sockets };
        server.wait_until_ready(ports[4]);
        Some(server)
    }

    fn wait_until_ready(&self, filer: u16) {
        let deadline = Instant::now() + START;
        let is_ready = || {
            ureq::get(format!("http://127.0.0.1:{}/healthz", self.s3)).call().is_ok()
                && ureq::post(format!("http://127.0.0.1:{filer}/buckets/{BUCKET}/")).send_empty().is_ok()
        };
        while !is_ready() {
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                panic!("SeaweedFS is not ready after {START:?}: {log}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// `host:port` of the S3 interface.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.s3)
    }

    /// The variables of a client that reaches the server at another address, such as that of a proxy.
    pub(crate) fn variables_for(address: &str) -> Vec<(&'static str, String)> {
        [
            ("AWS_ENDPOINT_URL", format!("http://{address}").as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }
}

impl Drop for SeaweedFs {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // It has killed the server, or there was none.
        let _ = self.guard.wait();
        self.sockets.iter().for_each(|socket| drop(std::fs::remove_file(socket)));
    }
}

/// Ports that were free a moment ago, all different.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
