import type { Candidate } from '../src/index.ts';

/** Candidates of the demo shop's server, which both the shop and the benches' pages have beside them. */
export async function fetchCandidates(address: string, limit: number): Promise<Candidate[]> {
  const response = await fetch(new URL(`api/candidates?slot=home&limit=${limit}`, address));
  const { candidates } = (await response.json()) as { candidates: Candidate[] };
  if (candidates.length < limit) throw new Error(`The demo shop offers ${candidates.length} candidates, not ${limit}.`);
  return candidates;
}

/** Titles of the demo shop's products. */
export async function fetchTitles(address: string, limit: number): Promise<string[]> {
  return (await fetchCandidates(address, limit)).map(({ title }) => title ?? '');
}
