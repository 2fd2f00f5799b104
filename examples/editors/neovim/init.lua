-- Neovim 0.11 and later: in ~/.config/nvim/init.lua
vim.lsp.enable("onbrand")
vim.diagnostic.config({ virtual_text = true })
