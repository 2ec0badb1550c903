"""All benchmarks, one after another."""

from bench import calls, decode

if __name__ == "__main__":
    decode.main()
    print()
    calls.main()
