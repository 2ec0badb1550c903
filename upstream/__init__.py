"""What a bridge needs of any speech-to-speech API: facts, a link that moves bytes, what models can do and cost."""
