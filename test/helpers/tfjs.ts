// tfjs with the one backend that Node needs: the whole `@tensorflow/tfjs` would add half to what a newcomer downloads.
import '@tensorflow/tfjs-backend-cpu';

export * from '@tensorflow/tfjs-core';
