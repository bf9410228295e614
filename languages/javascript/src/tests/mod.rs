mod contract;
mod errors;
mod hostile;
mod limits;
mod sessions;
mod support;
mod typescript;
mod values;
