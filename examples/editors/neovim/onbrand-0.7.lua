-- Neovim 0.7 to 0.10: in init.lua, or in a file that it requires.
local client

vim.api.nvim_create_autocmd("FileType", {
  pattern = { "markdown", "mdx", "html", "text" },
  callback = function(event)
    local config = {
      name = "onbrand",
      cmd = { "onbrand", "lsp" },
      root_dir = vim.fn.getcwd(),
      capabilities = vim.lsp.protocol.make_client_capabilities(),
    }
    if vim.lsp.start then -- since 0.8
      vim.lsp.start(config)
    else
      client = client or vim.lsp.start_client(config)
      vim.lsp.buf_attach_client(event.buf, client)
    end
  end,
})
