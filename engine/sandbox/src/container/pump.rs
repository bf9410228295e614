use bollard::container::LogOutput;
use bollard::errors::Error;
use futures_util::{Stream, StreamExt as _};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What is copied at once, in bytes.
const CHUNK: usize = 64 << 10;

/// Copies between an attached container and two local streams until either side ends: what is written to `frames` is its
/// standard input, what it writes comes out of `frames`, and what it writes to standard error out of `errors`.
///
/// # Errors
/// Where the streams cannot be used by the runtime.
pub(super) fn spawn(
    frames: UnixStream,
    errors: UnixStream,
    mut output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    mut input: Pin<Box<dyn AsyncWrite + Send>>,
) -> std::io::Result<()> {
    frames.set_nonblocking(true)?;
    errors.set_nonblocking(true)?;
    let (mut from_host, mut to_host) = tokio::net::UnixStream::from_std(frames)?.into_split();
    let mut errors = tokio::net::UnixStream::from_std(errors)?;
    tokio::spawn(async move {
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = from_host.read(&mut chunk).await {
            if input.write_all(&chunk[..read]).await.is_err() || input.flush().await.is_err() {
                break;
            }
        }
        drop(input.shutdown().await);
    });
    tokio::spawn(async move {
        while let Some(Ok(output)) = output.next().await {
            let written = match output {
                LogOutput::StdOut { message } => to_host.write_all(&message).await,
                LogOutput::StdErr { message } => errors.write_all(&message).await,
                LogOutput::StdIn { .. } | LogOutput::Console { .. } => Ok(()),
            };
            if written.is_err() {
                break;
            }
        }
    });
    Ok(())
}
