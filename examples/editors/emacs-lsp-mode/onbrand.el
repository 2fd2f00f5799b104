;; Emacs with lsp-mode: in init.el.
(require 'lsp-mode)
(lsp-register-client
 (make-lsp-client
  :new-connection (lsp-stdio-connection '("onbrand" "lsp"))
  :activation-fn (lsp-activate-on "markdown" "html" "plaintext")
  ;; lsp-mode counts columns in characters; before version 9 it does not say so.
  :custom-capabilities '((general . ((positionEncodings . ["utf-32"]))))
  :add-on? t ; beside the language's own server
  :server-id 'onbrand))
(dolist (hook '(markdown-mode-hook html-mode-hook text-mode-hook))
  (add-hook hook #'lsp-deferred))

;; A folder with onbrand.toml is a project, which lsp-mode would else ask about.
(setq lsp-auto-guess-root t)
(add-hook 'project-find-functions
          (lambda (folder)
            (let ((root (locate-dominating-file folder "onbrand.toml")))
              (and root (cons 'transient root)))))
