//! `arki-agent`: a light daemon that predicts trouble on its own host.

pub mod collect;
