//! Lines from a pipe, of bounded length: an engine gone wild must not fill the agent's memory.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Without its newline; also a last one that has none.
    Whole(Vec<u8>),
    /// Longer than the bound: read over, and so many bytes long.
    TooLong(u64),
}

/// The next line, or none at the end. Not cancel-safe: a line half read is lost when the future is dropped.
pub async fn next_line<R: AsyncBufRead + Unpin>(
    from: &mut R,
    bytes_max: usize,
) -> std::io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut length = 0_u64;
    loop {
        let chunk = from.fill_buf().await?;
        if chunk.is_empty() {
            return Ok((length > 0).then(|| finish(line, length, bytes_max)));
        }
        let newline = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..newline.unwrap_or(chunk.len())];
        length += part.len() as u64;
        if length <= bytes_max as u64 {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(newline.is_some());
        from.consume(used);
        if newline.is_some() {
            return Ok(Some(finish(line, length, bytes_max)));
        }
    }
}

fn finish(line: Vec<u8>, length: u64, bytes_max: usize) -> Line {
    if length > bytes_max as u64 { Line::TooLong(length) } else { Line::Whole(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_lines_are_read_over_and_the_next_one_is_whole() {
        let mut pipe = tokio::io::BufReader::with_capacity(3, &b"12345\n123456\n\nlast"[..]);
        let mut next = async || next_line(&mut pipe, 5).await.unwrap();
        assert_eq!(next().await, Some(Line::Whole(b"12345".to_vec())));
        assert_eq!(next().await, Some(Line::TooLong(6)));
        assert_eq!(next().await, Some(Line::Whole(Vec::new())));
        assert_eq!(next().await, Some(Line::Whole(b"last".to_vec())));
        assert_eq!(next().await, None);
    }
}
