//! Receiving: the loop that books frames, and how the sampler gets to see the books.

pub mod books;
pub mod reflect;
pub mod worker;

pub use books::Books;
pub use reflect::ReflectWorker;
pub use worker::{RxOutcome, RxWorker};
