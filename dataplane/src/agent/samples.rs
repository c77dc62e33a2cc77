//! A run's samples: the newest in memory, all of them in a file, found again by number.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use traffic::wire::Sample;

use super::limits::{RECENT_BYTES_MAX, RECENT_SAMPLES_MAX, REPLY_BYTES_MAX};

/// Every so many samples, the place in the file is remembered.
const MARK_EVERY: u64 = 256;

/// Where each sample is.
#[derive(Debug, Default)]
pub struct Samples {
    recent: VecDeque<Arc<str>>,
    recent_bytes: usize,
    /// Number of the next sample.
    next: u64,
    /// Samples 0 to `in_file` − 1 are in the file.
    in_file: u64,
    file_bytes: u64,
    /// Byte offset of sample 0, 256, 512, …
    marks: Vec<u64>,
    latest: Option<Box<Sample>>,
}

/// Where to read.
#[derive(Debug)]
pub enum Place {
    /// NDJSON, ready to send.
    Here(String),
    /// In the file: from this offset, after so many lines, at most so many.
    File {
        /// Bytes from the start.
        offset: u64,
        /// Lines to read over.
        skip: u64,
        /// Lines to read.
        lines: u64,
    },
    /// Neither in the file (it could not be written) nor in memory any more; the first that still is.
    Gone(u64),
}

impl Samples {
    /// Number of the next sample: how many there are.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Bytes in the file.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The newest, for `/metrics`.
    pub fn latest(&self) -> Option<&Sample> {
        self.latest.as_deref()
    }

    /// Takes the next sample, with its line (without newline); `is_in_file` when it was written there, too.
    pub fn push(&mut self, sample: Box<Sample>, line: &str, is_in_file: bool) {
        if is_in_file {
            self.note_line(line.len() as u64 + 1);
        } else {
            self.next += 1;
        }
        self.latest = Some(sample);
        self.recent_bytes += line.len();
        self.recent.push_back(Arc::from(line));
        while self.recent.len() > RECENT_SAMPLES_MAX
            || (self.recent_bytes > RECENT_BYTES_MAX && self.recent.len() > 1)
        {
            self.recent_bytes -= self.recent.pop_front().map_or(0, |old| old.len());
        }
    }

    /// The run is over: what is in the file needs no memory any more.
    pub fn settle(&mut self) {
        if self.in_file == self.next {
            self.recent = VecDeque::new();
            self.recent_bytes = 0;
        }
    }

    fn note_line(&mut self, bytes: u64) {
        if self.in_file.is_multiple_of(MARK_EVERY) {
            self.marks.push(self.file_bytes);
        }
        self.in_file += 1;
        self.file_bytes += bytes;
        self.next = self.in_file;
    }

    /// Where samples from number `from` on are.
    pub fn find(&self, from: u64, max: usize) -> Place {
        let first_recent = self.next - self.recent.len() as u64;
        if from >= first_recent {
            let skip = usize::try_from(from - first_recent).unwrap_or(usize::MAX);
            return Place::Here(joined(self.recent.iter().skip(skip).take(max).map(AsRef::as_ref)));
        }
        let mark = usize::try_from(from / MARK_EVERY).ok().and_then(|index| self.marks.get(index));
        match mark {
            Some(offset) if from < self.in_file => Place::File {
                offset: *offset,
                skip: from % MARK_EVERY,
                lines: (self.in_file - from).min(max as u64),
            },
            _ => Place::Gone(first_recent),
        }
    }

    /// What a file of an earlier agent holds. A last line without its newline was cut off by that agent's end
    /// and does not count.
    pub fn from_file(path: &Path) -> io::Result<Samples> {
        let mut samples = Samples::default();
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(samples),
            opened => opened?,
        };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        let mut last = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            samples.note_line(line.len() as u64);
            std::mem::swap(&mut line, &mut last);
            line.clear();
        }
        samples.latest = serde_json::from_slice(&last).ok();
        Ok(samples)
    }
}

/// Lines of the file, at most [`REPLY_BYTES_MAX`] of them. Blocks.
pub fn read_file(path: &Path, offset: u64, skip: u64, lines: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file);
    let mut text = String::new();
    for _ in 0..skip {
        reader.skip_until(b'\n')?;
    }
    for _ in 0..lines {
        reader.read_line(&mut text)?;
        if text.len() >= REPLY_BYTES_MAX {
            break;
        }
    }
    Ok(text)
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
        if text.len() >= REPLY_BYTES_MAX {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn sample(n: u64) -> Box<Sample> {
        Box::new(Sample { n, ..Sample::default() })
    }

    #[test]
    fn every_sample_is_found_whether_in_memory_or_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("samples.ndjson");
        let mut file = File::create(&path).unwrap();
        let mut samples = Samples::default();
        let total = RECENT_SAMPLES_MAX as u64 + 1000;
        for n in 0..total {
            let line = serde_json::to_string(&sample(n)).unwrap();
            writeln!(file, "{line}").unwrap();
            samples.push(sample(n), &line, true);
        }
        write!(file, "{{\"n\":torn").unwrap();
        let read_back = Samples::from_file(&path).unwrap();
        for from in [0, 1, 255, 256, 257, 999, 1000, total - 1, total, total + 7] {
            for source in [&samples, &read_back] {
                let text = match source.find(from, 3) {
                    Place::Here(text) => text,
                    Place::File { offset, skip, lines } => read_file(&path, offset, skip, lines).unwrap(),
                    Place::Gone(first) => panic!("{from} is gone, {first} is there"),
                };
                let found: Vec<u64> =
                    text.lines().map(|l| serde_json::from_str::<Sample>(l).unwrap().n).collect();
                assert_eq!(found, (from..total).take(3).collect::<Vec<_>>());
            }
        }
        assert_eq!(read_back.next(), total);
        assert_eq!(read_back.latest().map(|s| s.n), Some(total - 1));
    }

    #[test]
    fn what_a_full_disk_kept_out_of_the_file_is_gone_once_memory_forgets_it() {
        let mut samples = Samples::default();
        for n in 0..RECENT_SAMPLES_MAX as u64 + 10 {
            samples.push(sample(n), "{}", n < 5);
        }
        assert!(matches!(samples.find(0, 10), Place::File { lines: 5, .. }));
        assert!(matches!(samples.find(7, 10), Place::Gone(10)));
        assert!(matches!(samples.find(10, 10), Place::Here(_)));
    }
}
