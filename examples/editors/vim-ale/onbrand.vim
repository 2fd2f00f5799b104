" Vim 8 or 9 with ALE: in .vimrc, after ALE is loaded.
function! OnbrandRoot(buffer) abort
  let l:config = ale#path#FindNearestFile(a:buffer, 'onbrand.toml')
  return empty(l:config) ? expand('#' . a:buffer . ':p:h') : fnamemodify(l:config, ':h')
endfunction

for s:language in ['markdown', 'html', 'text']
  call ale#linter#Define(s:language, {
  \ 'name': 'onbrand',
  \ 'lsp': 'stdio',
  \ 'executable': 'onbrand',
  \ 'command': '%e lsp',
  \ 'project_root': function('OnbrandRoot'),
  \})
endfor
