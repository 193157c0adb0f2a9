//! The program as its users have it: its commands, files, messages and pictures.

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod binary;
mod book;
mod changed_values;
mod chip;
mod chip_files;
mod data;
mod delays;
mod edges;
mod engine_choice;
mod exit_codes;
mod export;
mod external_substrate;
mod formats;
mod fuzz_corpus;
mod gradient_check;
mod help;
mod identify;
mod limits;
mod membranes;
mod nir;
mod own_data;
mod raster;
mod report_html;
mod reproduce;
mod resume;
mod robustness;
mod run_folders;
mod schema;
mod shown_once;
mod spike_trains;
mod study;
#[cfg(feature = "mpi")]
mod study_mpi;
mod study_search;
mod study_slurm;
mod table_dialects;
mod trace_cases;
mod trace_learning;
mod traces;
