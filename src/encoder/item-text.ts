import type { Item } from '../types.ts';

/**
 * What the encoder reads of an item: its title, or its description where there is no title; may be empty.
 * Titles alone are what the encoder was distilled on; brand and category usually stand in them already.
 */
export function itemText({ title, description }: Item): string {
  return title?.trim() || description?.trim() || '';
}
