"""Small random encoders of each family, with their own tokenizers, to export and to verify."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onbrand_models.validation import parity_sentences

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WORDPIECE = ("bert", "distilbert", "electra", "mpnet")
BYTES = ("modernbert", "roberta")
UNIGRAM = ("albert", "camembert", "xlm-roberta")
OFFSET = ("camembert", "mpnet", "roberta", "xlm-roberta")
"""Families whose first position is one above the padding token's id."""
DEPTH, HIDDEN, MAX_TOKENS = 3, 32, 64

_WORDS = 5000
"""Rows of the word table: more than the tokenizers need, and enough to be stored in 8 bits."""


def tiny_model(family: str, folder: Path, seed: int = 0) -> Path:
    """Write a model of ``family`` with random weights to ``folder``, and return the folder.

    It has `DEPTH` layers of `HIDDEN` channels and takes `MAX_TOKENS` tokens.
    """
    import torch
    from transformers import AutoModel

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = AutoModel.from_config(_config(family))
        for parameter in model.parameters():
            if parameter.dim() == 1:  # norms start as ones and biases as zeros, which hide mistakes
                parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    _tokenizer(family).save_pretrained(folder)
    return folder


def _config(family: str) -> Any:
    from transformers import AutoConfig

    config = {
        "vocab_size": _WORDS,
        "max_position_embeddings": MAX_TOKENS,
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": 4,
        "initializer_range": 0.1,
        **{f"{name}_token_id": i for name, i in _ids(family).items()},
    }
    if family in OFFSET:
        config |= {"max_position_embeddings": MAX_TOKENS + 2, "type_vocab_size": 1}
    elif family == "distilbert":
        config |= {"dim": HIDDEN, "n_layers": DEPTH, "n_heads": 4, "hidden_dim": 2 * HIDDEN}
    elif family == "modernbert":
        config |= {"local_attention": 8, "global_attn_every_n_layers": 2}
    elif family in ("albert", "electra"):
        config["embedding_size"] = HIDDEN // 2
    return AutoConfig.for_model(family, **config)


def _ids(family: str) -> dict[str, int]:
    if family in OFFSET:
        return {"bos": 0, "pad": 1, "eos": 2}
    return {"pad": 0, "bos": 2, "cls": 2, "eos": 3, "sep": 3}


def _tokenizer(family: str) -> Any:
    import transformers
    from tokenizers import processors
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

    named = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    if family in OFFSET:
        named = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
    make = _wordpiece if family in WORDPIECE else _bytes if family in BYTES else _unigram
    tokenizer = make(list(named.values()), named["unk"])
    cls, sep = ((named[name], tokenizer.token_to_id(named[name])) for name in ("cls", "sep"))
    tokenizer.post_processor = (
        processors.RobertaProcessing(sep=sep, cls=cls, add_prefix_space=False)
        if family == "roberta"
        else processors.TemplateProcessing(
            single=f"{cls[0]} $A {sep[0]}", special_tokens=[cls, sep]
        )
    )
    wrapper = getattr(transformers, TOKENIZER_MAPPING_NAMES[family][1])
    named |= {"bos": named["cls"], "eos": named["sep"]}
    return wrapper(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        model_input_names=["input_ids", "attention_mask"],
        **{f"{name}_token": token for name, token in named.items()},
    )


# Their trainers break ties by chance, so that only the byte pairs are learnt.


def _wordpiece(special: list[str], unknown: str) -> Tokenizer:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    letters, stems = _pieces()
    inner = [f"##{piece}" for piece in letters + stems]
    vocabulary = {piece: i for i, piece in enumerate([*special, *letters, *stems, *inner])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _unigram(special: list[str], unknown: str) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    letters, stems = _pieces()
    scored = [(piece, -9.0) for piece in ["▁", *letters]]
    scored += [(f"▁{piece}", -8.0) for piece in stems] + [(piece, -10.0) for piece in stems]
    vocabulary = [(piece, 0.0) for piece in special] + scored
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=special.index(unknown)))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Strip(left=False, right=True),
            normalizers.Replace(Regex(" {2,}"), "▁"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def _bytes(special: list[str], _unknown: str) -> Tokenizer:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(parity_sentences(), trainer)
    return tokenizer


def _pieces() -> tuple[list[str], list[str]]:
    """Return the characters of the built-in sentences, and the first three letters of the words."""
    text = " ".join(parity_sentences()).lower()
    stems = {word[:3] for word in re.findall("[a-z]{3,}", text)}
    return sorted(set(text) - {" "}), sorted(stems)
