import type { PageText } from '../rank/shopper-view.ts';
import type { Models } from './models.ts';

/** Texts with the vectors that are there by now, provisional ones too; a text without says nothing. */
export function toPageTexts(texts: readonly string[], vectors: Models['vectors']): PageText[] {
  return texts.flatMap((text) => {
    const textVector = vectors.get(text) ?? vectors.provisionalOf(text);
    return textVector ? [{ text, textVector }] : [];
  });
}
