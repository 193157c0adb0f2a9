//! The `firstspike` command. Everything it does is in the library; see [`firstspike::cli`].

fn main() -> std::process::ExitCode {
    firstspike::cli::main()
}
