/** What a request gives, in a promise. Its type is what was stored: IndexedDB itself says `any`. */
export function resultOf<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error!);
  });
}

/** Resolves when all of a transaction is stored; rejects with why it was aborted. */
export function stored(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    // Also after an error of a request, which aborts its transaction.
    transaction.onabort = () => reject(transaction.error!);
  });
}
