mod contract;
mod support;
