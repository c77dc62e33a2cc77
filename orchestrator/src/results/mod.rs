//! The result files: `results/<expid>/<txN-rxN>/`, in the formats that scripts of the old system read.

pub mod command;
pub mod content;
pub mod csv;
pub mod error;
pub mod layout;
pub mod log;
pub mod metadata;
pub mod names;
pub mod npz;
pub mod read;
pub mod recover;
pub mod result_json;
pub mod sanity;
pub mod stored;
pub mod table;
pub mod tree;
pub mod validate;
pub mod write;

pub use error::ResultsError;
pub use layout::TrialFolder;
