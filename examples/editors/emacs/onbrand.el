;; Emacs with eglot: in init.el. Emacs 29 brings eglot; before that it is a package of its own.
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((markdown-mode gfm-mode html-mode text-mode) . ("onbrand" "lsp"))))
(dolist (hook '(markdown-mode-hook html-mode-hook text-mode-hook))
  (add-hook hook #'eglot-ensure))
