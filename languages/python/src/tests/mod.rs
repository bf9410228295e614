mod contract;
mod errors;
mod host;
mod hostile;
mod limits;
mod sharing;
mod signature;
mod values;
