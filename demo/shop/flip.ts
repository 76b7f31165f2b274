const MOVE_MS = 420;
const APPEAR_MS = 260;
const EASING = 'cubic-bezier(.2,.7,.2,1)';

/**
 * Puts children into a new order and lets them glide there: first, last, invert, play (Lewis, 2015).
 * The child that holds the focus is never taken out of the document, since that would blur it.
 */
export function reorder(parent: HTMLElement, next: readonly HTMLElement[]): void {
  const isQuiet = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const before = new Map([...parent.children].map((child) => [child, child.getBoundingClientRect()]));
  place(parent, next);
  if (isQuiet || before.size === 0) return;
  for (const child of next) {
    const from = before.get(child);
    if (from === undefined) {
      child.animate([{ opacity: 0 }, { opacity: 1 }], { duration: APPEAR_MS, easing: EASING });
      continue;
    }
    const to = child.getBoundingClientRect();
    const x = from.left - to.left;
    const y = from.top - to.top;
    if (x === 0 && y === 0) continue;
    child.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], { duration: MOVE_MS, easing: EASING });
  }
}

function place(parent: HTMLElement, next: readonly HTMLElement[]): void {
  const kept = new Set<Element>(next);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  const anchor = next.findIndex((child) => child.contains(document.activeElement) && child.parentElement === parent);
  if (anchor < 0) {
    next.forEach((child, position) => {
      if (parent.children[position] !== child) parent.insertBefore(child, parent.children[position] ?? null);
    });
    return;
  }
  const held = next[anchor]!;
  for (const child of next.slice(0, anchor)) parent.insertBefore(child, held);
  let after: HTMLElement = held;
  for (const child of next.slice(anchor + 1)) {
    if (after.nextElementSibling !== child) after.after(child);
    after = child;
  }
}
