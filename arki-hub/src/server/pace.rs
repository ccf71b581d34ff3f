//! Who is too slow is cut off: with the body of a request, whatever route takes it, and in taking an answer.

use http_body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// For a whole body, whatever takes it: half as long again as [`super::body`] gives one, which says why.
const BODY_TIME: Duration = Duration::from_secs(30);
/// For a part of an answer to be taken: the kernel holds some hundred kilobytes of it meanwhile.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// A body that ends with an error when it takes too long.
#[derive(Debug)]
pub(super) struct Paced<B> {
    body: B,
    began: Instant,
    time: Duration,
    /// Made when it has to be waited for.
    late: Option<Pin<Box<Sleep>>>,
}

impl<B> Paced<B> {
    /// The time begins now.
    pub(super) fn new(body: B) -> Self {
        Self::within(body, BODY_TIME)
    }

    fn within(body: B, time: Duration) -> Self {
        Self {
            body,
            began: Instant::now(),
            time,
            late: None,
        }
    }
}

impl<B> Body for Paced<B>
where
    B: Body + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = B::Data;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let end = self.began + self.time;
        let late = self.late.get_or_insert_with(|| Box::pin(sleep_until(end)));
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream whose other side has to take what is written.
#[derive(Debug)]
pub(super) struct Taken<S> {
    stream: S,
    time: Duration,
    late: Option<Pin<Box<Sleep>>>,
}

impl<S> Taken<S> {
    /// Nothing is written yet.
    pub(super) fn new(stream: S) -> Self {
        Self::within(stream, WRITE_TIME)
    }

    fn within(stream: S, time: Duration) -> Self {
        Self {
            stream,
            time,
            late: None,
        }
    }

    /// What a write came to: the time begins with one that has to wait and ends with the next that has not.
    fn paced<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.late = None;
            return written;
        }
        let time = self.time;
        let end = || Box::pin(sleep_until(Instant::now() + time));
        let late = self.late.get_or_insert_with(end);
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taken<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taken<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.paced(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.paced(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.paced(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.paced(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SOON: Duration = Duration::from_millis(400);

    #[tokio::test]
    async fn a_body_that_stops_coming_is_an_error_and_what_came_is_kept() {
        let part: Result<_, io::Error> = Ok(Frame::data(bytes::Bytes::from("a")));
        let stops = StreamBody::new(stream::iter([part]).chain(stream::pending()));
        let mut paced = Paced::within(Box::pin(stops), SOON);
        assert_eq!(
            paced.frame().await.unwrap().unwrap().into_data().unwrap(),
            "a"
        );
        assert!(paced.frame().await.unwrap().is_err());
        let none: [Result<Frame<bytes::Bytes>, io::Error>; 0] = [];
        let mut ends = Paced::within(StreamBody::new(stream::iter(none)), SOON);
        assert!(ends.frame().await.is_none());
    }

    #[tokio::test]
    async fn who_takes_nothing_is_cut_off_and_who_takes_slowly_is_not() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut taken = Taken::within(near, SOON);
        let slowly = async {
            let mut byte = [0; 1];
            for _ in 0..64 {
                tokio::time::sleep(SOON / 40).await;
                far.read_exact(&mut byte).await.unwrap();
            }
            far
        };
        let (written, _far) = tokio::join!(taken.write_all(&[0; 64]), slowly);
        assert!(written.is_ok());
        let written = taken.write_all(&[0; 64]).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
