// tfjs with the one backend that Node needs: the whole `@tensorflow/tfjs` would add half to what a newcomer downloads.
import '@tensorflow/tfjs-backend-cpu';
import { enableProdMode } from '@tensorflow/tfjs-core';

// Without its advertisement of the native backend.
enableProdMode();

export * from '@tensorflow/tfjs-core';
