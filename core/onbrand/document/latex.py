r"""LaTeX to blocks: commands, environments and groups resolved without running anything.

TeX can be read for certain only by TeX. What is known by name is read as it is printed; an unknown
command is prose where its one argument reads like it (``\newthought{In the beginning}``) and masked
otherwise, and the text of an unknown environment is prose.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.masking import LINE_SEPARATOR, PLACEHOLDER
from onbrand.document.positions import LineIndex, Span

_TOKEN = re.compile(
    r"%(?P<comment>[^\r\n]*)(?P<joined>(?:(?:\r\n|\n|\r)[ \t]*(?![\r\n \t]))?)"
    r"|(?P<before_note>(?<![ \t~])[ \t~]++(?=\\(?:[a-zA-Z]{0,9}cite|footnote|label|index)))"
    r"|\\(?P<edge>begin|end)[ \t]*\{(?P<environment>[^{}\r\n]{0,80})\}"
    r"|\\(?P<command>[a-zA-Z@]+\*?)[ \t]*|\\(?P<sign>\r\n|.|\Z)"
    r"|(?P<math>\$\$(?:[^$\\]|\\.)*+\$\$|\$(?:[^$\\\r\n]|\\.|(?:\r\n|\n|\r)(?![ \t]*[\r\n]))*+\$)"
    r"|(?P<blank>(?>\r\n|\n|\r)[ \t]*+[\r\n]\s*)"
    r"|(?P<open>\{)|(?P<close>\})|(?P<tie>~)|(?P<cell>&)"
    r"|(?P<dashes>---?)|(?P<quote>``|''|`)",
    re.DOTALL,
)
_BRACE = re.compile(
    r"\\(?:url|href|path)[ \t]*(?P<address>\{)[^{}\r\n]*\}|\\.|%[^\r\n]*|[{}]", re.DOTALL
)
_OPTION = re.compile(r"[ \t]*\[(?:[^\[\]{}]|\{[^{}]*\}|\[[^\[\]]*\])*\]")
_GAP = re.compile(r"(?:[ \t]|(?:\r\n|\n|\r)(?![ \t]*[\r\n]))*(?=\{)")
_DOCUMENT = re.compile(r"\\begin[ \t]*\{document\}")
_TITLE = re.compile(r"\\(?:title|subtitle)[ \t]*(?:\[[^\[\]]*\])?[ \t]*(?=\{)")
_VERB = re.compile(
    r"(?:\[[^\[\]\r\n]{0,200}\])?(?:\{[^{}\r\n]*\})?(?:\{[^{}\r\n]*\}|([^\sa-zA-Z{])[^\r\n]*?\1)"
)
_DEFINED = re.compile(r"[ \t]*(?:\\[a-zA-Z@]+\*?)?[^{\r\n]*")
_WORDS = re.compile(r"[^\W\d_]{2,}[\w'’,.:;!?-]*(?:\s+[\w'’,.:;!?-]+)+", re.UNICODE)

_HEADINGS = {
    "part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5,
    "subparagraph": 6, "title": 1, "subtitle": 2, "frametitle": 2, "framesubtitle": 3, "minisec": 4,
    "addsec": 2, "addchap": 1,
}  # fmt: skip
_OWN_BLOCK = frozenset({"caption", "captionof", "abstract", "footnotetext", "dedication"})
"""Commands whose argument is a paragraph of its own."""
_INLINE_NAMES = """
textbf textit textsl textsc textrm textsf textmd textup textnormal emph uline underline sout enquote
textquote mbox hbox text alert structure textsuperscript textsubscript uppercase lowercase
MakeUppercase MakeLowercase so hl st textlf textsw framebox makebox fbox
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_LAST_ARGUMENT = {
    "href": 2, "textcolor": 2, "colorbox": 2, "parbox": 2, "hyperref": 1, "foreignlanguage": 2,
    "raisebox": 2, "scalebox": 2, "resizebox": 3, "rotatebox": 2, "multicolumn": 3, "multirow": 3,
    "fcolorbox": 3, "texorpdfstring": 2, "acrodef": 3, "only": 1, "onslide": 1, "uncover": 1,
}  # fmt: skip
"""Commands of which the argument with this number is prose, and those before are not."""
_GONE_NAMES = """
label cite citep citet citeauthor citeyear citealp citealt parencite textcite autocite footcite
nocite fullcite supercite footnote footnotemark index glossary thanks marginpar marginnote sidenote
includegraphics input include includeonly usepackage RequirePackage documentclass bibliography
bibliographystyle addbibresource printbibliography vspace hspace vskip hskip setlength
addtolength setcounter addtocounter stepcounter refstepcounter pagestyle thispagestyle pagenumbering
newtheorem theoremstyle hypersetup geometry definecolor graphicspath captionsetup lstset
tikzset usetikzlibrary pgfplotsset author date institute affil affiliation email address keywords
maketitle tableofcontents listoffigures listoftables newpage clearpage cleardoublepage pagebreak
linebreak nopagebreak noindent indent centering raggedright raggedleft par bigskip medskip smallskip
hfill vfill hrule vrule hline toprule midrule bottomrule cline cmidrule addlinespace protect
appendix frontmatter mainmatter backmatter small large Large LARGE huge Huge tiny scriptsize
footnotesize normalsize bfseries itshape scshape ttfamily rmfamily sffamily mdseries upshape slshape
em bf it rm sf sc tt color selectlanguage sisetup phantom hphantom vphantom phantomsection
addcontentsline markboth markright fancyhead fancyfoot fancyhf lhead rhead chead lfoot rfoot cfoot
usetheme usecolortheme usefonttheme setbeamertemplate titlegraphic logo todo missingfigure
setmainfont setsansfont setmonofont newfontfamily hyphenation makeatletter makeatother
bibitem crefname Crefname counterwithin numberwithin allowdisplaybreaks linewidth textwidth
newcolumntype arraybackslash rule strut null relax ignorespaces xspace leavevmode columnbreak pause
endinput makeindex printindex makeglossaries printglossaries glsresetall thefootnote baselinestretch
newif subfile subfileinclude nonumber notag raggedbottom flushbottom sloppy fussy
"""
_GONE = frozenset(_GONE_NAMES.split())
"""Commands that print nothing that belongs into the sentence, their arguments included."""
_DEFINITIONS = frozenset(
    [
        "newcommand",
        "renewcommand",
        "providecommand",
        "def",
        "gdef",
        "edef",
        "xdef",
        "let",
        "newenvironment",
        "renewenvironment",
        "DeclareMathOperator",
        "DeclareRobustCommand",
        "NewDocumentCommand",
        "RenewDocumentCommand",
        "newacronym",
        "newglossaryentry",
        "DeclareUnicodeCharacter",
    ]
)
_VERBATIM_COMMANDS = frozenset({"verb", "verb*", "lstinline", "mintinline", "Verb"})
_PRINTED = {
    "ldots": "…", "dots": "…", "textellipsis": "…", "textendash": "–", "textemdash": "—", "ss": "ß",
    "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł",
    "L": "Ł", "i": "ı", "j": "ȷ", "LaTeX": "LaTeX", "TeX": "TeX", "LaTeXe": "LaTeX2e",
    "textquotedblleft": "“", "textquotedblright": "”", "textquoteleft": "‘", "textquoteright": "’",
    "copyright": "©", "texttrademark": "™", "textregistered": "®", "euro": "€", "pounds": "£",
    "EUR": "€", "S": "§", "P": "¶", "textasciitilde": "~", "textbackslash": "\\", "quad": " ",
    "qquad": " ", "newline": LINE_SEPARATOR, "space": " ", "textdegree": "°", "slash": "/",
    "textbar": "|", "textless": "<", "textgreater": ">", "guillemotleft": "«",
    "guillemotright": "»",
    "glqq": "„", "grqq": "“", "flqq": "«", "frqq": "»", "textbullet": "•", "item": "",
}  # fmt: skip
_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304",
    ".": "\u0307", "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328",
    "r": "\u030a", "b": "\u0331", "d": "\u0323",
}  # fmt: skip
_ACCENTED = re.compile(
    r"[ \t]*(?:\{(?P<group>[a-zA-Z]|\\[ij])\}|(?P<bare>[a-zA-Z]|\\[ij](?![a-zA-Z])))"
)
_TYPOGRAPHY = {"~": " ", "--": "–", "---": "—", "``": "“", "''": "”", "`": "‘"}
_SIGNS = {" ": " ", ",": " ", ";": " ", ":": " ", "/": "", "-": "", "@": "", "!": "", ">": " "}

_HIDDEN_NAMES = """
equation align gather multline eqnarray math displaymath flalign alignat subequations dmath
tikzpicture verbatim Verbatim BVerbatim lstlisting minted alltt code algorithm algorithmic
algorithm2e thebibliography filecontents comment picture array axis pspicture tikzcd circuitikz
forest CCSXML lstcode sourcecode pycode sagesilent asy luacode prooftree cases split aligned
"""
_HIDDEN = frozenset(_HIDDEN_NAMES.split())
_QUOTES = frozenset({"quote", "quotation", "verse", "displayquote", "epigraphs"})
_TABLES = frozenset(
    ["tabular", "tabularx", "longtable", "tabulary", "xtabular", "supertabular", "tabu", "tblr"]
)
_LISTS = frozenset(
    ["itemize", "enumerate", "description", "compactitem", "compactenum", "inparaenum", "tasks"]
)
_MAX_ARGUMENTS = 9


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and comments of a LaTeX document, or of a part of one.

    Args:
        text: the source.
        quotes: whether quotations are judged.
    """
    reader = _Reader(text, quotes)
    reader.run()
    return Extracted(reader.builder.blocks, reader.comments, skipped=dict(reader.skipped))


def heading_level(source: str, lines: LineIndex, span: Span) -> int:
    """Return the level of a heading by the command before it."""
    before = source[lines.line_start(lines.line_of(span.start)) : span.start]
    named = re.findall(r"\\([a-z]+)\*?", before)
    return next((_HEADINGS[name] for name in reversed(named) if name in _HEADINGS), 1)


class _Reader:
    def __init__(self, text: str, quotes: bool) -> None:
        self.builder = BlockBuilder(text)
        self.comments: list[Comment] = []
        self.skipped: Counter[str] = Counter()
        self._text = text
        self._quotes = quotes
        self._closing = _match_braces(text)
        self._last_end: dict[str, int] = {}
        self._kind = "paragraph"
        self._environments: list[tuple[str, str]] = []  # name, the kind of blocks outside of it
        self._at_brace: dict[int, str] = {}  # the kind of block that ends at a closing brace
        self._links: dict[int, int] = {}  # closing brace of a link's label to the link's start

    def run(self) -> None:
        """Read the document; of its preamble the title alone."""
        document = _DOCUMENT.search(self._text)
        if document:
            for title in _TITLE.finditer(self._text, 0, document.start()):
                if title.end() in self._closing:
                    self._read(title.end() + 1, self._closing[title.end()])
                    self.builder.flush("heading")
            self._preamble_comments(document.start())
        self._read(document.end() if document else 0, len(self._text))
        self.builder.flush(self._kind)
        self.comments.sort()

    def _preamble_comments(self, end: int) -> None:
        for found in re.finditer(r"(?<!\\)%([^\r\n]*)", self._text[:end]):
            self.comments.append(Comment(found.start(), found.end(), found[1]))

    def _read(self, at: int, end: int) -> None:
        while at < end:
            token = _TOKEN.search(self._text, at, end)
            self.builder.copy(at, token.start() if token else end)
            if token is None:
                return
            at = self._token(token, end)

    def _token(self, token: re.Match[str], end: int) -> int:
        """Read one token, and return where to read on."""
        start, at = token.span()
        name = token.lastgroup or ""
        if token["comment"] is not None:
            last = token.end("comment")
            self.comments.append(Comment(start, last, token["comment"]))
        elif token["edge"]:
            return self._environment(token, end)
        elif name == "command":
            return self._command(token["command"], start, at)
        elif name == "sign":
            return self._sign(token["sign"], start, at, end)
        elif name == "math":
            self.builder.add(PLACEHOLDER, start, at)
            self.skipped["formulas"] += at - start
        elif name == "blank" or (name == "cell" and self._kind == "table cell"):
            self.builder.flush(self._kind)
        elif name == "close":
            self._close(start, at)
        elif token[0] in _TYPOGRAPHY and name != "before_note":
            self.builder.add(_TYPOGRAPHY[token[0]], start, at)
        elif name not in ("open", "before_note"):
            self.builder.copy(start, at)
        return at

    def _close(self, start: int, end: int) -> None:
        if start in self._links:
            self.builder.link(self._links.pop(start), end)
        if start in self._at_brace:
            self.builder.flush(self._at_brace.pop(start))

    def _sign(self, sign: str, start: int, at: int, end: int) -> int:
        if sign in _ACCENTS and (letter := _ACCENTED.match(self._text, at, end)):
            return self._accent(sign, start, letter)
        if sign in "([" and sign:
            close = self._find("\\)" if sign == "(" else "\\]", at, end)
            if close >= 0:
                self.builder.add(PLACEHOLDER, start, close + 2)
                self.skipped["formulas"] += close + 2 - start
                return close + 2
        elif sign == "\\":
            if option := _OPTION.match(self._text, at, end):
                at = option.end()
            if self._kind == "table cell":
                self.builder.flush(self._kind)
            else:
                self.builder.line_break(start, at)
        elif sign in _SIGNS:
            self.builder.add(_SIGNS[sign], start, at)
        else:
            self.builder.add(sign, start, at)
        return at

    def _accent(self, sign: str, start: int, letter: re.Match[str]) -> int:
        base = (letter["group"] or letter["bare"]).lstrip("\\")
        self.builder.add(unicodedata.normalize("NFC", base + _ACCENTS[sign]), start, letter.end())
        return letter.end()

    # --- environments -------------------------------------------------------------------------

    def _environment(self, token: re.Match[str], end: int) -> int:
        start, at = token.span()
        name = token["environment"].strip().rstrip("*")
        self.builder.flush(self._kind)
        if token["edge"] == "end":
            if name == "document":
                return end
            if self._environments and name in (one for one, _ in self._environments[-8:]):
                while self._environments[-1][0] != name:
                    self._environments.pop()
                self._kind = self._environments.pop()[1]
            return at
        if name in _HIDDEN or (name in _QUOTES and not self._quotes):
            closer = f"\\end{{{token['environment']}}}"
            close = self._find(closer, at, end)
            if close >= 0:
                self.skipped["quotes" if name in _QUOTES else "code"] += close - start
                return close + len(closer)
            return at
        self._environments.append((name, self._kind))
        if name in _TABLES or name.startswith("tabular"):
            self._kind = "table cell"
        elif name in _LISTS:
            self._kind = "list item"
        titled = name in ("frame", "block", "alertblock", "exampleblock")
        return at if name == "document" else self._arguments(at, keep=titled)

    def _arguments(self, at: int, *, keep: bool) -> int:
        """Return the offset after the arguments of an environment; keep: read titles in braces."""
        while option := _OPTION.match(self._text, at):
            at = option.end()
        while not keep and self._text.startswith("{", at) and at in self._closing:
            at = self._closing[at] + 1
        if keep and self._text.startswith("{", at) and at in self._closing:
            self._at_brace[self._closing[at]] = "heading"
        return at

    def _find(self, what: str, start: int, end: int) -> int:
        """Return where a string stands next, in a time that stays linear when it does not."""
        if what not in self._last_end:
            self._last_end[what] = self._text.rfind(what)
        return self._text.find(what, start, end) if self._last_end[what] >= start else -1

    # --- commands -----------------------------------------------------------------------------

    def _command(self, name: str, start: int, at: int) -> int:
        name = name.rstrip("*") if name != "verb*" else name
        if name in _ACCENTS and (letter := _ACCENTED.match(self._text, at)):
            return self._accent(name, start, letter)
        if name in _VERBATIM_COMMANDS and (code := _VERB.match(self._text, at)):
            self.builder.add(PLACEHOLDER, start, code.end())
            return code.end()
        if name in _HEADINGS or name in _OWN_BLOCK:
            return self._own_block(name, at)
        if name == "item":
            return self._item(at)
        if name in _PRINTED:
            end = at + 2 if self._text.startswith("{}", at) else at
            self.builder.add(_PRINTED[name], start, end)
            return end
        if name in ("iffalse", "if0"):
            fi = self._find("\\fi", at, len(self._text))
            return fi if fi >= 0 else at
        if name in _DEFINITIONS:
            return self._definition(name, at)
        return self._by_arguments(name, start, at)

    def _own_block(self, name: str, at: int) -> int:
        self.builder.flush(self._kind)
        if name == "captionof" and self._text.startswith("{", at) and at in self._closing:
            at = self._closing[at] + 1
        while option := _OPTION.match(self._text, at):
            at = option.end()
        if self._text.startswith("{", at) and at in self._closing:
            kind = "heading" if name in _HEADINGS else "paragraph"
            self._at_brace[self._closing[at]] = kind
        return at

    def _item(self, at: int) -> int:
        self.builder.flush(self._kind)
        option = _OPTION.match(self._text, at)
        if option:  # the term that a description describes
            inner = self._text.index("[", at) + 1
            self._read(inner, option.end() - 1)
            self.builder.flush(self._kind)
        return option.end() if option else at

    def _definition(self, name: str, at: int) -> int:
        """Return the offset after a definition, whose body is no prose where it stands."""
        defined = _DEFINED.match(self._text, at)
        if not self._text.startswith("{", at) and defined:
            at = defined.end()
        return at if name == "let" else self._skip_arguments(at)

    def _skip_arguments(self, at: int) -> int:
        for _ in range(_MAX_ARGUMENTS):
            if option := _OPTION.match(self._text, at):
                at = option.end()
                continue
            gap = _GAP.match(self._text, at)
            if gap is None or gap.end() not in self._closing:
                break
            at = self._closing[gap.end()] + 1
        return at

    def _by_arguments(self, name: str, start: int, at: int) -> int:
        """Read a command by what is known of its arguments, or by what they look like."""
        first = at
        while option := _OPTION.match(self._text, first):
            first = option.end()
        prose = _LAST_ARGUMENT.get(name, 1 if name in _INLINE else 0)
        if prose:
            for _ in range(prose - 1):
                if first not in self._closing:
                    break
                first = self._closing[first] + 1
            if name == "href" and first in self._closing:
                self._links[self._closing[first]] = start
            return first
        if name in _GONE:
            return at if name in _SWITCHES else self._skip_arguments(at)
        return first if first == at and self._is_prose(first) else self._mask_command(start, at)

    def _mask_command(self, start: int, at: int) -> int:
        """Mask a command with its arguments, and return where to read on."""
        end = at
        while True:
            if option := _OPTION.match(self._text, end):
                end = option.end()
            elif self._text.startswith("{", end) and end in self._closing:
                end = self._closing[end] + 1
            else:
                break
        self.builder.add(PLACEHOLDER, start, end)
        return end

    def _is_prose(self, at: int) -> bool:
        """Tell whether the one argument of an unknown command reads like prose."""
        close = self._closing.get(at)
        if close is None or self._text.startswith(("{", "["), close + 1):
            return False
        return _WORDS.match(self._text, at + 1, min(close, at + 200)) is not None


_SWITCHES = frozenset(
    [
        "maketitle",
        "tableofcontents",
        "noindent",
        "indent",
        "centering",
        "raggedright",
        "raggedleft",
        "par",
        "small",
        "large",
        "Large",
        "LARGE",
        "huge",
        "Huge",
        "tiny",
        "scriptsize",
        "footnotesize",
        "normalsize",
        "bfseries",
        "itshape",
        "scshape",
        "ttfamily",
        "rmfamily",
        "sffamily",
        "mdseries",
        "upshape",
        "slshape",
        "em",
        "bf",
        "it",
        "rm",
        "sf",
        "sc",
        "tt",
        "protect",
        "hfill",
        "vfill",
        "newpage",
        "clearpage",
        "hline",
        "toprule",
        "midrule",
        "bottomrule",
        "relax",
        "ignorespaces",
        "xspace",
        "pause",
        "appendix",
    ]
)
"""Commands without arguments: a group after one is the text that it changes."""


def _match_braces(text: str) -> dict[int, int]:
    """Return for each opening brace the one that closes it."""
    closing: dict[int, int] = {}
    open_at: list[int] = []
    for found in _BRACE.finditer(text):
        if found["address"]:  # in which "%" begins no comment
            closing[found.start("address")] = found.end() - 1
        elif found[0] == "{":
            open_at.append(found.start())
        elif found[0] == "}" and open_at:
            closing[open_at.pop()] = found.start()
    return closing
