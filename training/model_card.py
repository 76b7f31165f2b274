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
    {'name': 'WordNet 3.0 glosses, examples and synonyms', 'licence': 'WordNet licence', 'credit': 'Princeton University: About WordNet, 2010'},
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
and stored in 4 bits. The vocabulary is that of Google's BERT base uncased (Apache License 2.0), without [unused] tokens and
without scripts other than Latin and Greek.

Trained on texts of: Online Retail (Chen, Sain and Guo 2012, CC BY 4.0); PriceRunner product titles (Akritidis,
CC BY 4.0); WordNet 3.0, Copyright 2006 by Princeton University, all rights reserved under the WordNet licence; Debian
package descriptions. No text of these is part of the weights' files.
"""

CARD = """# encoder-en: titles and queries to vectors

A small English text encoder for product titles and shop queries: text in, a vector of {hidden} numbers and unit length out,
made to run in a shopper's browser. Revision `{revision}`, {wire_megabytes:.2f} MB on the wire (every file gzipped), Apache-2.0.

- **Architecture**: BERT (Devlin et al. 2019), {layers} layers, {hidden} hidden units, {heads} heads, WordPiece with {vocabulary:,} tokens, lower case,
  word embeddings factorised to {embedding} columns (as in ALBERT, Lan et al. 2020), at most {positions} tokens, mean pooling, unit length.
- **Training**: distilled from all-MiniLM-L6-v2, started from the teacher's layers 0, 2 and 5; the last {steps:,} steps of 64 texts
  with the weights rounded as they ship. The loss is the cosine distance to the teacher's vector plus the squared difference of the
  batch's similarities. No behaviour data. Recipe: `training/`.
- **Weights**: matrices in 4 bits: codes of -7 to 7, a multiplier of 1 to 16 for each 32 columns, a float32 scale per row, so that a row
  unpacks to int8 exactly; positions int8, biases and LayerNorms float32 (`words.safetensors`, `layers.safetensors`).
- **Static tier**: `static.safetensors` gives each token a weight, and a matrix from the mean of the tokens' embeddings to the same space.
  It answers from `words.safetensors` alone ({static_megabytes:.2f} MB with vocabulary), until the layers are there.
- **Golden vectors**: `golden.safetensors` has token ids of {golden} texts and their vectors by PyTorch; a device that does not
  reproduce them does not serve.

## How closely it follows its teacher

Computed with the weights of this folder, dequantised, by `python training/evaluate.py`. "Never seen" are sources of text of which no
title was trained on. Ten-neighbour overlap: of each text's ten nearest among the texts of its row by the teacher, the share that is also among its
ten nearest here.

{table}

## Limits

English. Other languages in Latin script fall apart into word pieces and give weak vectors; words in other scripts and emoji are unknown to the
vocabulary. Texts are cut after {positions} tokens, and it was trained on at most 64: longer ones are further from the teacher. It compares what things are called, not what they are: it inherits the associations of its teacher's web texts.

## Trained on

{credits}
"""


def model_card(manifest: dict, table: str) -> str:
    credits = '\n'.join(f'- {source["name"]}: {source["credit"]} ({source["licence"]})' for source in manifest['trainingData'])
    return CARD.format(
        **manifest['dims'],
        revision=manifest['revision'],
        wire_megabytes=manifest['measured']['wireBytes'] / 1e6,
        static_megabytes=manifest['measured']['staticWireBytes'] / 1e6,
        steps=manifest['measured']['steps'],
        golden=4,
        table=table,
        credits=credits,
    )
