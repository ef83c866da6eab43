//! Stores in S3, or in what speaks its protocol.

mod http;
mod signing;

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::Key;
use crate::error::Cause;

/// Any of these is a way to credentials.
const CREDENTIALS: [AmazonS3ConfigKey; 4] = [
    AmazonS3ConfigKey::AccessKeyId,
    AmazonS3ConfigKey::WebIdentityTokenFile,
    AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
    AmazonS3ConfigKey::ContainerCredentialsFullUri,
];

/// Connects to a bucket, as the `AWS_*` among the variables say; nothing is sent yet.
pub(super) fn open(
    bucket: &str,
    prefix: Option<&Key>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, Cause> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in variables {
        if let (true, Ok(key)) = (name.starts_with("AWS_"), name.to_ascii_lowercase().parse()) {
            builder = builder.with_config(key, value);
        }
    }
    let builder = builder.with_bucket_name(bucket);
    check(&builder)?;
    let store = builder
        .with_retry(retries())
        .with_http_connector(http::Connector)
        .with_crypto_provider(Arc::new(signing::Crypto))
        // Not every server that speaks the protocol can delete in bulk, and nothing here deletes much.
        .with_disable_bulk_delete(true)
        .build()?;
    Ok(match prefix {
        Some(prefix) => Arc::new(PrefixStore::new(store, prefix.as_str())),
        None => Arc::new(store),
    })
}

/// What would otherwise be found out late, or said in a way that helps nobody.
fn check(builder: &AmazonS3Builder) -> Result<(), Cause> {
    let value = |key| builder.get_config_value(&key);
    let is_true = |key| value(key).is_some_and(|value| value == "true");
    if !is_true(AmazonS3ConfigKey::SkipSignature) && CREDENTIALS.into_iter().all(|key| value(key).is_none()) {
        return Err(
            "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if \
                    they are temporary)"
                .into(),
        );
    }
    let endpoint = value(AmazonS3ConfigKey::S3Endpoint).or_else(|| value(AmazonS3ConfigKey::Endpoint));
    match endpoint {
        Some(url) if url.starts_with("https://") => Ok(()),
        Some(url) if url.starts_with("http://") => {
            if is_true(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp)) {
                return Ok(());
            }
            Err(format!("the endpoint {url} is not encrypted; set AWS_ALLOW_HTTP=true if it is meant").into())
        }
        Some(url) => Err(format!("the endpoint `{url}` is not an http(s) URL").into()),
        None => Ok(()),
    }
}

/// A request that fails for a reason that may pass is sent again: at once, and then after pauses that grow to 2 s.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            ..BackoffConfig::default()
        },
        max_retries: 8,
        retry_timeout: Duration::from_mins(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> AmazonS3Builder {
        AmazonS3Builder::new().with_access_key_id("id").with_secret_access_key("secret")
    }

    #[test]
    fn credentials_are_asked_for_before_anything_is_sent() {
        assert!(check(&AmazonS3Builder::new()).unwrap_err().to_string().contains("AWS_ACCESS_KEY_ID"));
        assert!(check(&AmazonS3Builder::new().with_skip_signature(true)).is_ok());
        assert!(check(&builder()).is_ok());
    }

    #[test]
    fn an_endpoint_is_encrypted_or_meant_not_to_be() {
        let with = |endpoint: &str| check(&builder().with_endpoint(endpoint));
        assert!(with("https://s3.example.org").is_ok());
        assert!(with("http://127.0.0.1:1").unwrap_err().to_string().contains("AWS_ALLOW_HTTP=true"));
        assert!(check(&builder().with_endpoint("http://127.0.0.1:1").with_allow_http(true)).is_ok());
        assert!(with("127.0.0.1:8333").unwrap_err().to_string().contains("`127.0.0.1:8333`"));
    }
}
