" Vim 8 or 9 with vim-lsp: in .vimrc, after vim-lsp is loaded.
function! OnbrandRootUri(...) abort
  let l:path = lsp#utils#get_buffer_path()
  let l:root = lsp#utils#find_nearest_parent_file_directory(l:path, 'onbrand.toml')
  return lsp#utils#path_to_uri(empty(l:root) ? fnamemodify(l:path, ':p:h') : l:root)
endfunction

function! OnbrandRegister() abort
  " vim-lsp counts columns in characters, but does not say so.
  let l:able = lsp#default_get_supported_capabilities({})
  let l:able.general = {'positionEncodings': ['utf-32']}
  call lsp#register_server({
  \ 'name': 'onbrand',
  \ 'cmd': ['onbrand', 'lsp'],
  \ 'allowlist': ['markdown', 'html', 'text'],
  \ 'root_uri': function('OnbrandRootUri'),
  \ 'capabilities': l:able,
  \})
endfunction

augroup onbrand
  autocmd!
  autocmd User lsp_setup call OnbrandRegister()
augroup END
