-- Neovim 0.11 and later: ~/.config/nvim/lsp/onbrand.lua
return {
  cmd = { "onbrand", "lsp" },
  filetypes = { "markdown", "mdx", "html", "text" },
  root_markers = { "onbrand.toml", "pyproject.toml", ".git" },
  -- Neovim 0.11 asks for diagnostics after an edit, but not yet when the server says that others
  -- hold now: after a sentence was marked as on-brand, or a voice was trained again.
  capabilities = { workspace = { diagnostics = { refreshSupport = true } } },
  handlers = {
    ["workspace/diagnostic/refresh"] = function(_, _, context)
      local client = vim.lsp.get_client_by_id(context.client_id)
      for buffer in pairs(client.attached_buffers) do
        local document = vim.lsp.util.make_text_document_params(buffer)
        client:request("textDocument/diagnostic", { textDocument = document }, nil, buffer)
      end
      return vim.NIL
    end,
  },
}
