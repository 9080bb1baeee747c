//! The tests are in `it/`; this library is empty, and exists so that the package has one.
