/** @jest-config-loader esbuild-register */
import type { Config } from 'jest'

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // The compiler is told to rewrite relative `.ts` imports to `.js` for the declarations; Jest wants the sources.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testPathIgnorePatterns: ['/node_modules/', '/test/kafka/'],
  testSequencer: '<rootDir>/scripts/long-tests-first.mjs',
  maxWorkers: 2,
  // What one file leaves in a worker's heap makes the collector's rounds in the next one longer: simulations took five times as long.
  workerIdleMemoryLimit: '300MB',
  testTimeout: 30_000,
}

export default config
