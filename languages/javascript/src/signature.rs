use skills_core::{Script, Signature};
pub(crate) fn infer(_script: &Script) -> Option<Signature> { None }
