"""The words around the weights: model card, notice and the credits of the training data."""

TRAINING_DATA = [
    {
        'name': 'Online Retail (titles)',
        'licence': 'CC BY 4.0',
        'credit': 'Daqing Chen, Sai Liang Sain and Kun Guo: Data mining for the online retail industry, 2012; UCI Machine Learning Repository',
    },
    {
        'name': 'PriceRunner product titles',
        'licence': 'CC BY 4.0',
        'credit': 'Leonidas Akritidis: Product Classification and Clustering; UCI Machine Learning Repository',
    },
    {'name': 'WordNet 3.0 glosses', 'licence': 'WordNet licence', 'credit': 'Princeton University: About WordNet, 2010'},
    {'name': 'Debian package descriptions', 'licence': 'free licences of the packages', 'credit': 'the Debian project and its package maintainers'},
    {'name': 'Generated titles and queries', 'licence': 'CC0-1.0', 'credit': 'training/texts.py over the nouns of WordNet'},
]

NOTICE = """encoder-en
Copyright the Shelfwise authors
Licensed under the Apache License, Version 2.0.

This product contains weights derived from all-MiniLM-L6-v2 by the sentence-transformers authors
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, Apache License 2.0), which is a fine-tuned
nreimers/MiniLM-L6-H384-uncased, made from Microsoft's MiniLM (MIT License). Changes: three of its six layers were
kept, word embeddings factorised to 128 columns, positions cut to 128, all weights trained further by distillation
and stored as int8. The vocabulary is that of Google's BERT base uncased (Apache License 2.0).

Trained on texts of: Online Retail (Chen, Sain and Guo 2012, CC BY 4.0); PriceRunner product titles (Akritidis,
CC BY 4.0); WordNet 3.0, Copyright 2006 by Princeton University, all rights reserved under the WordNet licence; Debian
package descriptions. No text of these is part of the weights' files.
"""

CARD = """# encoder-en: titles and queries to vectors

A small English text encoder for product titles and shop queries: text in, a vector of {hidden} numbers and unit length out,
made to run in a shopper's browser. Revision `{revision}`, {wire_megabytes:.2f} MB on the wire (every file gzipped), Apache-2.0.

- **Architecture**: BERT (Devlin et al. 2019), {layers} layers, {hidden} hidden units, {heads} heads, WordPiece with {vocabulary:,} tokens, lower case,
  word embeddings factorised to {embedding} columns (as in ALBERT, Lan et al. 2020), at most {positions} tokens, mean pooling, unit length.
- **Training**: distilled from all-MiniLM-L6-v2 in {steps:,} steps of 64 texts, started from the teacher's layers 0, 2 and 5. The loss is
  the cosine distance to the teacher's vector plus the squared difference of the batch's similarities. No behaviour data. Recipe: `training/`.
- **Weights**: matrices as int8 with one scale per row, biases and LayerNorms as float32 (`weights.safetensors`).
- **Golden vectors**: `golden.safetensors` has token ids of {golden} texts and their vectors by PyTorch; a device that does not
  reproduce them does not serve.

## How closely it follows its teacher

Computed with the weights of this folder, dequantised, by `python training/evaluate.py`. "Never seen" are sources of text of which no
title was trained on.

{table}

## Limits

English. Other languages fall apart into word pieces and give weak vectors; emoji are unknown to the vocabulary. Texts are cut after {positions}
tokens, and it was trained on at most 64: on several titles joined to about 95 tokens its mean cosine to the teacher is .86, at 128 tokens .82; on
single words .89. It compares what things are called, not what they are: it inherits the associations of its teacher's web texts.

## Trained on

{credits}
"""


def model_card(manifest: dict, table: str) -> str:
    credits = '\n'.join(f'- {source["name"]}: {source["credit"]} ({source["licence"]})' for source in manifest['trainingData'])
    return CARD.format(
        **manifest['dims'],
        revision=manifest['revision'],
        wire_megabytes=manifest['measured']['wireBytes'] / 1e6,
        steps=manifest['measured']['steps'],
        golden=4,
        table=table,
        credits=credits,
    )
