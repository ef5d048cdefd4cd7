package wechat

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

func sign(key *rsa.PrivateKey, message string) (string, error) {
	sum := sha256.Sum256([]byte(message))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(sig), err
}

func verify(key *rsa.PublicKey, message, signature string) error {
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig)
}

// sealName hides a real name from all but the platform. The platform wants
// OAEP with SHA-1, whose weakness does not matter here.
func sealName(key *rsa.PublicKey, name string) (string, error) {
	box, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(name), nil)
	return base64.StdEncoding.EncodeToString(box), err
}

// open is AEAD_AES_256_GCM as notices use it.
func open(key []byte, nonce, ciphertext, belongs string) ([]byte, error) {
	box, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(nonce) != aead.NonceSize() { // Open panics on it
		return nil, errors.New("the nonce has another length")
	}
	return aead.Open(nil, []byte(nonce), box, []byte(belongs))
}

// ReadKey reads the merchant's private key, as the merchant platform hands it
// out (apiclient_key.pem).
func ReadKey(path string) (*rsa.PrivateKey, error) {
	der, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if k, ok := key.(*rsa.PrivateKey); err == nil && ok {
		return k, nil
	}
	return nil, fmt.Errorf("wechat: %s holds no RSA key in PKCS #8", path)
}

// ReadPlatform reads the platform's public key (pub_key.pem).
func ReadPlatform(path string) (*rsa.PublicKey, error) {
	der, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if k, ok := key.(*rsa.PublicKey); err == nil && ok {
		return k, nil
	}
	return nil, fmt.Errorf("wechat: %s holds no RSA public key", path)
}

func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("wechat: read key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("wechat: %s is not PEM", path)
	}
	return block.Bytes, nil
}
