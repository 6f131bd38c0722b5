"""What a change of holdings, or another limit, would mean for a portfolio: asked in words, answered on the stored scenarios."""
