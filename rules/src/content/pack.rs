//! Packs: texts in, entries and faults out.
