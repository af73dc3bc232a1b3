"""`python -m grader` is the same program as `grader`."""

from grader.cli import program

if __name__ == "__main__":
    program()
