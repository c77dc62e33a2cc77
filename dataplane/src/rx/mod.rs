//! Receiving: the loop that books frames, and how the sampler gets to see the books.

pub mod books;
pub mod dump;
pub mod reflect;
pub mod worker;

pub use books::Books;
pub use dump::Keep;
pub use reflect::ReflectWorker;
pub use worker::{RxOutcome, RxWorker};
