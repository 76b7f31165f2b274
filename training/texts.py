"""The texts that the student may be distilled on, and the ones that it is only judged on (DESIGN.md, "encoder")."""

import csv
import gzip
import random
import re
from pathlib import Path

WORDNET = Path('/usr/share/wordnet')
TRAINING_SOURCES = ('online_retail', 'pricerunner')  # CC0 / CC BY 4.0: weights made from them may be published
HELD_OUT_TITLES = 3_000
OTHER_TEXTS = 220_000  # of all that is not a title: about what one run reads once
MAX_CHARACTERS = 300  # a title longer than this is cut by the tokenizer anyway


def product_titles(path: Path) -> dict[str, list[str]]:
    """Titles by source, without repeats, in the file's order."""
    titles: dict[str, dict[str, None]] = {}
    with gzip.open(path, 'rt', encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file, delimiter='\t'):
            titles.setdefault(row['source'], {})[row['title']] = None
    return {source: list(rows) for source, rows in titles.items()}


def wordnet_entries() -> list[tuple[str, str, str]]:
    """(lexicographer file, lemma, definition) of every WordNet synset; noun.food is file 13, noun.artifact 06."""
    entries = []
    for part in ('noun', 'verb', 'adj', 'adv'):
        for line in (WORDNET / f'data.{part}').read_text(encoding='latin-1').splitlines():
            if line.startswith('  '):
                continue
            data, gloss = line.split(' | ', 1)
            fields = data.split(' ')
            lemma = re.sub(r'\(\w+\)$', '', fields[4]).replace('_', ' ')
            entries.append((fields[1], lemma, gloss.split('; "')[0].strip()))
    return entries


def wordnet_examples() -> list[str]:
    """The quoted example sentences of every synset, and the synonyms of those that have several."""
    texts = []
    for part in ('noun', 'verb', 'adj', 'adv'):
        for line in (WORDNET / f'data.{part}').read_text(encoding='latin-1').splitlines():
            if line.startswith('  '):
                continue
            data, gloss = line.split(' | ', 1)
            texts += re.findall(r'"([^"]{12,})"', gloss)
            fields = data.split(' ')
            lemmas = [re.sub(r'\(\w+\)$', '', fields[4 + 2 * i]).replace('_', ' ') for i in range(int(fields[3], 16))]
            if len(lemmas) > 1:
                texts.append(', '.join(lemmas))
    return texts


def debian_descriptions() -> list[str]:
    """The one-line descriptions of the packages in this machine's apt lists."""
    import subprocess

    text = subprocess.run(['apt-cache', 'dumpavail'], capture_output=True, text=True, check=True).stdout
    return sorted(set(re.findall(r'^Description(?:-en)?: (.+)$', text, re.MULTILINE)))


COLOURS = 'black white red blue green pink silver gold grey brown purple ivory navy beige orange yellow clear'.split()
MATERIALS = 'wood metal glass ceramic plastic leather cotton steel paper rubber silk wool bamboo copper vinyl'.split()
SIZES = ['small', 'medium', 'large', 'XL', '10 inch', '5cm', '2 x 4', '1/2"', '12 oz', '500 ml', '1.5 L', '2 lb', '100 g', '8GB', '64 gb', '19 mm']
PACKS = ['Pack of 2', 'Pack of 12', '6 Count', 'set of 4', '10 pcs', '50-Pack', '3 piece', 'assorted', 'box of 100', 'twin pack']
PLATFORMS = ['PC', 'Xbox 360', 'PlayStation 3', 'Nintendo DS', 'Wii', 'PS4', 'Game Boy Advance', 'Mac', 'PC/Mac', 'Windows', 'N64', 'GameCube']
GENRES = 'comedy thriller drama western romance horror mystery adventure racing puzzle strategy simulation role-playing fighting'.split()
STORIES = ['a tale', 'the story', 'a history', 'the adventures', 'the return', 'night', 'the last days', 'the legend', 'rise', 'secrets']
EDITIONS = ['collector\'s edition', 'special edition', 'game of the year edition', '(renewed)', 'refurbished', 'deluxe', 'gold edition', 'volume 2', 'part II', 'upgrade', 'bundle']
COMPATIBLE = ['compatible with', 'for', 'replacement for', 'fits', 'works with', 'suitable for']
ROOMS = ['kitchen', 'office', 'school', 'car', 'home', 'garden', 'bathroom', 'laboratory', 'workshop', 'travel', 'hospital', 'party']
FLAVOURS = 'organic fresh smoked roasted sweet spicy salted unsweetened gluten free low fat frozen dried whole natural'.split()
BRANDS = 'acme norvik halden lumo tarka belmor quill zenta orford kestrel pavo sundew brightly marlow tamsin vextor'.split()


def generated_titles(count: int, seed: int) -> list[str]:
    """Shop titles and queries from templates over WordNet's nouns: groceries, tools, games, films, clothes, electronics."""
    rng = random.Random(seed)
    entries = wordnet_entries()
    nouns = {file: [lemma for f, lemma, _ in entries if f == file] for file in ('04', '05', '06', '13', '15', '18', '20')}
    adjectives = [lemma for f, lemma, _ in entries if f == '00']
    things, foods, acts, animals, places, people = nouns['06'], nouns['13'], nouns['04'], nouns['05'], nouns['15'], nouns['18']

    def model() -> str:
        letters = ''.join(rng.choices('abcdefghklmnprstvwxz', k=rng.randint(1, 3)))
        return f'{letters}{rng.randint(10, 9999)}{rng.choice(["", "", "a", "w", "/b", "-x2"])}'

    def one() -> str:
        p = rng.choice
        templates = (
            lambda: f'{p(COLOURS)} {p(things)}',
            lambda: f'{p(MATERIALS)} {p(things)} {p(SIZES)}',
            lambda: f'{p(BRANDS)} {model()} {p(things)}, {p(COLOURS)} ({p(PACKS)})',
            lambda: f'{p(BRANDS)} {p(adjectives)} {p(things)} with {p(things)} - {p(SIZES)}, {p(PACKS)}',
            lambda: f'{p(things)} for {p(people)}, {p(COLOURS)}/{p(COLOURS)}, {p(SIZES)}',
            lambda: f'{p(FLAVOURS)} {p(foods)}',
            lambda: f'{p(FLAVOURS)} {p(foods)} & {p(foods)}, {p(SIZES)}',
            lambda: f'{p(BRANDS)} {p(foods)} {p(foods)} ({p(PACKS)})',
            lambda: f'{p(adjectives)} {p(acts)} {rng.randint(2, 5)} - {p(PLATFORMS)}',
            lambda: f'{p(animals)} {p(acts)}: the {p(people)} of {p(places)} [{p(PLATFORMS)}]',
            lambda: f'the {p(adjectives)} {p(people)} ({rng.randint(1930, 2015)})',
            lambda: f'{p(people)} in {p(places)}',
            lambda: f'{p(animals)} {p(things)} {p(SIZES)}',
            lambda: f'{p(BRANDS)} {p(BRANDS)} {model()} {rng.randint(2, 90)}{p(["gb", "w", "v", "kg", "l", "cm", " inch"])} {p(things)}',
            lambda: f'{p(adjectives)} {p(things)}',
            lambda: f'{p(STORIES)} of the {p(adjectives)} {p(people)} ({rng.randint(1920, 2020)})',
            lambda: f'{p(animals)} and {p(people)}, the ({rng.randint(1920, 2020)}) {p(GENRES)}',
            lambda: f'{p(things)} {rng.randint(2, 9)}: {p(STORIES)} of {p(places)} - {p(EDITIONS)} - {p(PLATFORMS)}',
            lambda: f'{p(adjectives)} {p(GENRES)} {p(acts)} {p(EDITIONS)} ({p(PLATFORMS)})',
            lambda: f'{p(BRANDS)} {p(MATERIALS)} {p(things)} {p(COMPATIBLE)} {p(things)}, {p(adjectives)}, {p(COLOURS)}, {p(SIZES)}, {p(PACKS)}',
            lambda: f'{p(BRANDS)} {model()} {p(things)} {p(COMPATIBLE)} {p(BRANDS)} {model()} | {p(things)} for {p(ROOMS)} and {p(ROOMS)} ({p(COLOURS)})',
            lambda: f'{p(PACKS)} {p(BRANDS)} {p(adjectives)} {p(MATERIALS)} {p(things)}, {p(SIZES)} x {p(SIZES)}, {p(ROOMS)} {p(things)} with {p(adjectives)} {p(things)}',
            lambda: f'{p(BRANDS)} {rng.randint(2, 900)}{p(["w", "v", "gb", "ml", "mm", "mp", "hz", "mah"])} {p(things)} - {model()}',
            lambda: f'{p(foods)} {p(foods)} {p(FLAVOURS)}',
            lambda: f'{p(FLAVOURS)} {p(FLAVOURS)} {p(foods)}, {p(foods)} flavored',
            lambda: f'{p(foods)} {p(["juice", "sauce", "soup", "cookies", "chips", "cereal", "tea", "bread", "yogurt", "mix"])}, {p(FLAVOURS)}',
            lambda: f'{p(BRANDS)} {p(animals)} {p(["food", "toy", "shampoo", "treats", "bed"])} {p(SIZES)}',
            lambda: f'{p(people)}\'s {p(adjectives)} {p(things)} {p(COLOURS)}',
            lambda: f'{p(things)} {p(things)} {model()} {p(BRANDS)}',
        )
        title = p(templates)()
        case = rng.random()
        return title.upper() if case < 0.2 else title.title() if case < 0.55 else title

    return [one() for _ in range(count)]


def film_titles(path: Path) -> list[str]:
    """Titles of MovieLens 1M's items file (`item,title,…`), only ever judged on."""
    with gzip.open(path, 'rt', encoding='utf-8', newline='') as file:
        return list(dict.fromkeys(row['title'] for row in csv.DictReader(file)))


def split_titles(titles: dict[str, list[str]], seed: int = 1) -> tuple[list[str], list[str], dict[str, list[str]]]:
    """Training titles, `HELD_OUT_TITLES` unseen titles of the same sources, and whole sources that are never trained on."""
    allowed = sorted({title for source in TRAINING_SOURCES for title in titles[source]})
    random.Random(seed).shuffle(allowed)
    never_seen = {source: rows for source, rows in titles.items() if source not in TRAINING_SOURCES}
    return allowed[HELD_OUT_TITLES:], allowed[:HELD_OUT_TITLES], never_seen


def training_texts(titles_path: Path) -> tuple[list[str], int]:
    """Everything the student is trained on, product titles first, and how many of those there are."""
    titles, _, _ = split_titles(product_titles(titles_path))
    glosses = [f'{lemma}: {gloss}' if i % 3 == 0 else gloss for i, (_, lemma, gloss) in enumerate(wordnet_entries())]
    texts = titles + glosses + wordnet_examples() + debian_descriptions() + generated_titles(150_000, seed=7)
    unique = list(dict.fromkeys(text[:MAX_CHARACTERS] for text in texts if text.strip()))
    count = len({title[:MAX_CHARACTERS] for title in titles})
    return unique[:count] + random.Random(11).sample(unique[count:], OTHER_TEXTS), count
