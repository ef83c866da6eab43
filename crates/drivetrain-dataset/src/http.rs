//! Downloads over HTTP, limited in size and time.

use std::time::Duration;

use crate::{DatasetError, HttpUrl};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TOTAL_TIMEOUT: Duration = Duration::from_mins(2);

/// The body behind `url`, at most `limit` bytes of it.
pub(crate) fn download(url: &HttpUrl, limit: u64) -> Result<Vec<u8>, DatasetError> {
    let agent = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(TOTAL_TIMEOUT))
        .build()
        .new_agent();
    let body = agent
        .get(url.as_str())
        .call()
        .and_then(|mut response| response.body_mut().with_config().limit(limit).read_to_vec());
    body.map_err(|error| match error {
        ureq::Error::BodyExceedsLimit(limit) => DatasetError::TooLarge { url: url.to_string(), limit },
        other => DatasetError::Download { url: url.to_string(), source: Box::new(other) },
    })
}

#[cfg(test)]
mod tests {
    use std::{
        error::Error as _,
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        thread::{self, JoinHandle},
    };

    use drivetrain_plan::{DataType, Field, Schema};

    use super::*;
    use crate::{Checksum, Description, Source, acquire};

    const BODY: &[u8] = b"1.5\n2.5\n";

    /// Answers one request on a free local port.
    fn serve_once(status: &'static str, body: &'static [u8]) -> (HttpUrl, JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/y.data", listener.local_addr().unwrap()).parse().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = BufReader::new(stream.try_clone().unwrap());
            assert!(request.lines().map_while(Result::ok).any(|line| line.is_empty()));
            write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
            stream.write_all(body).unwrap();
        });
        (url, server)
    }

    #[test]
    fn a_body_up_to_the_limit_arrives() {
        let (url, server) = serve_once("200 OK", BODY);
        assert_eq!(download(&url, BODY.len() as u64).unwrap(), BODY);
        server.join().unwrap();
    }

    #[test]
    fn a_larger_body_is_refused() {
        let (url, server) = serve_once("200 OK", BODY);
        let error = download(&url, BODY.len() as u64 - 1).unwrap_err();
        assert!(matches!(error, DatasetError::TooLarge { limit: 7, .. }), "{error}");
        server.join().unwrap();
    }

    #[test]
    fn a_failure_says_which_url_and_why() {
        let (url, server) = serve_once("404 Not Found", b"");
        let error = download(&url, 100).unwrap_err();
        assert!(error.to_string().contains(url.as_str()), "{error}");
        assert!(error.source().unwrap().to_string().contains("404"), "{error:?}");
        server.join().unwrap();
    }

    #[test]
    fn a_download_must_be_the_known_data_set() {
        let schema = Schema::new(vec![Field::new("y", DataType::Float64)]).unwrap();
        let description = Description::new("y", schema).unwrap();
        for (known, is_accepted) in [(Checksum::of(BODY), true), (Checksum::of(b"other"), false)] {
            let (url, server) = serve_once("200 OK", BODY);
            let acquired = acquire(&description.clone().checksum(known), &Source::Url(url));
            assert_eq!(acquired.is_ok(), is_accepted);
            if let Err(error) = acquired {
                assert!(matches!(error, DatasetError::ChecksumMismatch { .. }), "{error}");
            }
            server.join().unwrap();
        }
    }
}
