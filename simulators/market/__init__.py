"""Markets: users, items and providers on one calendar, where those who get too little leave."""
