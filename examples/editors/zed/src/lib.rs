//! Tells Zed how to start `onbrand lsp`. Zed lets nothing but an extension add a language server.

use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct Onbrand;

impl zed::Extension for Onbrand {
    fn new() -> Self {
        Onbrand
    }

    fn language_server_command(&mut self, _: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let command = worktree
            .which("onbrand")
            .ok_or("onbrand is not on PATH; install it from its checkout or wheel, with the extra lsp")?;
        Ok(Command {
            command,
            args: vec!["lsp".into()],
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(Onbrand);
