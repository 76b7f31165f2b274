import type { IncomingMessage, ServerResponse } from 'node:http';
import { DEPARTMENTS } from '../data/departments.ts';
import { MAX_CANDIDATES, SLOTS, type CandidateRequest, type CandidateServer, type Slot } from './candidate-server.ts';
import type { Product } from './shop-data.ts';

const MAX_QUERY_CHARACTERS = 200;
const MAX_ITEMS = 100;

/** Answers `GET /api/candidates`; a query that makes no sense gets 400 and one line that says why. */
export function answerCandidates(server: CandidateServer, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('cache-control', 'no-store');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, { error: 'Only GET is answered here.' });
    return;
  }
  try {
    const { searchParams } = new URL(request.url ?? '', 'http://shop.invalid');
    send(response, 200, { candidates: server.candidates(parseRequest(searchParams)) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    send(response, 400, { error: error.message });
  }
}

/** Answers `GET /api/product?id=`: one product as it stands in the catalogue. */
export function answerProduct(products: readonly Product[], request: IncomingMessage, response: ServerResponse): void {
  const id = new URL(request.url ?? '', 'http://shop.invalid').searchParams.get('id');
  const product = products.find((one) => one.id === id);
  if (product === undefined) send(response, 404, { error: 'There is no such product.' });
  else send(response, 200, { product });
}

/** Answers `GET /api/departments`: their names in the order of the menu, and how many products each has. */
export function answerDepartments(products: readonly Product[], response: ServerResponse): void {
  const departments = DEPARTMENTS.map(({ name }) => ({ name, products: products.filter(({ category }) => category === name).length }));
  send(response, 200, { departments: departments.filter((department) => department.products > 0) });
}

/** @throws RangeError that says in one line what is wrong. */
export function parseRequest(query: URLSearchParams): CandidateRequest {
  const slot = query.get('slot');
  if (slot === null || !isSlot(slot)) throw new RangeError(`slot must be one of ${SLOTS.join(', ')}`);
  const q = query.get('q')?.trim();
  if (q !== undefined && q.length > MAX_QUERY_CHARACTERS) throw new RangeError(`q is longer than ${MAX_QUERY_CHARACTERS} characters`);
  if (q === '' && slot === 'search') throw new RangeError('q is empty');
  const item = query.getAll('item');
  if (item.length > MAX_ITEMS) throw new RangeError(`more than ${MAX_ITEMS} items`);
  const limit = wholeNumber(query, 'limit', 1, MAX_CANDIDATES);
  const asOf = wholeNumber(query, 'asOf', 0, 1e11);
  const category = query.get('category');
  return {
    slot,
    item,
    ...(q === undefined ? {} : { q }),
    ...(category === null ? {} : { category }),
    ...(limit === undefined ? {} : { limit }),
    ...(asOf === undefined ? {} : { asOf }),
  };
}

function wholeNumber(query: URLSearchParams, name: string, low: number, high: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < low || value > high) throw new RangeError(`${name} must be a whole number from ${low} to ${high}`);
  return value;
}

function isSlot(text: string): text is Slot {
  return (SLOTS as readonly string[]).includes(text);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}
